package signaling

// Error is why a message cannot be used. Its text is the `failure reason` that a tracker sends back; where
// bittorrent-tracker 11 has a text for the case it is the same one, because people search for it.
type Error string

// Error returns the reason.
func (e Error) Error() string { return string(e) }

// What can be wrong with a message.
const (
	ErrTooLarge  Error = "message is too large"
	ErrUTF8      Error = "message is not UTF-8"
	ErrSyntax    Error = "message is not JSON"
	ErrNotObject Error = "message is not a JSON object"
	ErrAction    Error = "invalid action"
	ErrInfoHash  Error = "invalid info_hash"
	ErrPeerID    Error = "invalid peer_id"
	ErrToPeerID  Error = "invalid `to_peer_id` (required with `answer`)"
	ErrAnswer    Error = "invalid answer"
	ErrOffer     Error = "invalid offer"
	ErrOfferID   Error = "invalid offer_id"
	ErrEvent     Error = "invalid event"
	ErrScrape    Error = "too many info hashes in one scrape"
)

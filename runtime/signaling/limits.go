package signaling

// Limits bounds what a message may hold. Zero fields take the defaults.
type Limits struct {
	// MessageBytes is the longest message, in bytes. Default 64 KiB, as in wt-tracker and aquatic.
	MessageBytes int
	// Offers is how many offers of one announce are kept; the others are counted in ClientMessage.Dropped.
	// Default 10, as in aquatic: browsers send 5.
	Offers int
	// OfferIDBytes is the longest spelled offer id, quotes included. Default 256: 20 characters spelled as
	// six-byte escapes are 122.
	OfferIDBytes int
	// ScrapeHashes is how many info hashes one scrape may ask for. Default 64.
	ScrapeHashes int
}

// WithDefaults returns the limits with every unset field at its default.
func (l Limits) WithDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.MessageBytes, 64<<10)
	def(&l.Offers, 10)
	def(&l.OfferIDBytes, 256)
	def(&l.ScrapeHashes, 64)
	return l
}

// maxEcho is the longest info hash, as spelled, that a failure repeats to its sender.
const maxEcho = 160

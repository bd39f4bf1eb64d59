package signaling

// Origin is what a tracker with a site map says of the peer that an offer or an answer comes from, as the recipient sees
// it: the member "p2pstream" of the message. Trackers without one do not send it, and other clients ignore it.
type Origin struct {
	Site        string `json:"site,omitempty"`        // empty: in no site, or not told to this recipient
	Cell        int    `json:"cell,omitempty"`        // part of a site that is split
	Near        bool   `json:"near"`                  // both peers are in the same site
	Gateway     bool   `json:"gateway,omitempty"`     // it brings segments into its site
	ReceiveOnly bool   `json:"receiveOnly,omitempty"` // it passes nothing on
}

// Bounds of an Origin. What exceeds them is left out, and the message counts.
const (
	maxSiteName = 253 // bytes
	maxCell     = 1 << 16
)

// origin reads the member "p2pstream"; anything but an object counts as missing.
func (s *scanner) origin(dst *Origin) bool {
	*dst = Origin{}
	if s.peek() != '{' {
		return s.skip(0)
	}
	return s.object(func(key []byte) bool {
		switch string(key) {
		case "site":
			raw, ok := s.raw()
			dst.Site = ""
			if text, err := raw.Text(); ok && err == nil && len(text) <= maxSiteName {
				dst.Site = text
			}
			return ok
		case "cell":
			n, usable, ok := s.integer()
			dst.Cell = 0
			if usable && n > 0 && n <= maxCell {
				dst.Cell = int(n)
			}
			return ok
		case "near":
			return s.truth(&dst.Near)
		case "gateway":
			return s.truth(&dst.Gateway)
		case "receiveOnly":
			return s.truth(&dst.ReceiveOnly)
		}
		return s.skip(0)
	})
}

// truth reads a boolean; anything else counts as false.
func (s *scanner) truth(dst *bool) bool {
	raw, ok := s.raw()
	*dst = string(raw) == "true"
	return ok
}

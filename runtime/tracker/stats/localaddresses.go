package stats

// LocalAddresses says how the viewers of sites give their own addresses in offers: browsers hide them behind names that end
// in .local (RFC 6762), which nothing resolves outside of the viewer's own subnet. A viewer is a socket, and what counts is
// its last announce with an offer. Viewers outside of all sites, and of sites whose peering is off, are not counted.
type LocalAddresses struct {
	Viewers int `json:"viewers"`
	// Hidden are those whose host candidates are all such names, and whose offers hold no other address of their network.
	Hidden int `json:"hidden"`
	// Reflected are those whose host candidates are all such names, and whom a STUN server inside of their network told
	// their address there.
	Reflected int `json:"reflected"`
	// Divided counts the sites for which HidingSite.Divided(false) is true.
	Divided int `json:"divided"`
	// Sites are those with hidden viewers, the ones with most of them first. Others counts those that are left out.
	Sites  []HidingSite `json:"sites,omitempty"`
	Others int          `json:"others,omitempty"`
}

// HidingSite is a site with viewers that hide their addresses.
type HidingSite struct {
	Site      string `json:"site"`
	Viewers   int    `json:"viewers"`
	Hidden    int    `json:"hidden"`
	Reflected int    `json:"reflected,omitempty"`
	// Subnets says that the hidden viewers have addresses in several subnets: in several /24, or /64 of IPv6.
	Subnets bool `json:"subnets,omitempty"`
}

// Divided reports whether the viewers of a site probably do not reach each other: four or more have made offers, half of
// them or more hide their addresses, and these are in several subnets. already says that this was so a moment ago: then two
// viewers and a quarter are enough, so that a few that come and go change nothing.
func (s HidingSite) Divided(already bool) bool {
	viewers, share := 4, int64(2)
	if already {
		viewers, share = 2, 4
	}
	return s.Subnets && s.Hidden >= 2 && s.Viewers >= viewers && share*int64(s.Hidden) >= int64(s.Viewers)
}

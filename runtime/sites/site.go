package sites

// Peering says what the viewers of a site do with other peers.
type Peering string

const (
	// Full viewers receive from peers and serve them.
	Full Peering = "Full"
	// ReceiveOnly viewers receive from peers and upload nothing.
	ReceiveOnly Peering = "ReceiveOnly"
	// Off viewers meet no peers.
	Off Peering = "Off"
)

// Site is one entry of a site map.
type Site struct {
	// Name identifies the site in status, metrics and to seeders. It is empty for addresses that no entry matches.
	Name string
	// Peering of the site's viewers.
	Peering Peering
	// CrossSite allows the site's viewers to meet viewers of other sites that allow it too.
	CrossSite bool
	// Gateways is the number of viewers per rendition that are led to peers outside the site. Zero: the default.
	Gateways int
}

package tracker

import "github.com/p2pstream/p2pstream/runtime/sites"

// place is where a client is in the network.
type place struct {
	in   *sites.Map // the map that the client was looked up in
	site *sites.Site
}

// Site returns the site of a socket's client, nil if no sites are configured. It is looked up again after the map has
// changed, so a session that moves to another site gets another result. Only the socket's reader may call it.
func (s *session) Site() *sites.Site {
	if s.hub.sites == nil {
		return nil
	}
	m := s.hub.sites()
	if m == nil {
		return nil
	}
	if s.place.in != m {
		s.place = place{in: m, site: m.Lookup(s.client.Remote)}
	}
	return s.place.site
}

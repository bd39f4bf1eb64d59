package tracker

import (
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// placesOn returns what says where clients are on a map; nil without one.
func placesOn(m *sites.Map) func(sockets.Client) swarm.Place {
	if m == nil {
		return nil
	}
	return func(c sockets.Client) swarm.Place {
		site := m.Lookup(c.Remote)
		return swarm.Place{Site: site.Name, Peering: site.Peering, CrossSite: site.CrossSite, Gateways: site.Gateways}
	}
}

package tracker

import (
	"cmp"
	"net/http"

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
		if c.Seeder && c.Site != "" {
			return edgePlace(m, c)
		}
		site := m.Lookup(c.Remote)
		return swarm.Place{Site: site.Name, Peering: site.Peering, CrossSite: site.CrossSite,
			Gateways: cmp.Or(site.Gateways, m.Gateways()), CellSize: m.CellSize()}
	}
}

// edgePlace is the place of an edge seeder: the site that it names, whatever its address is. A site that a later map does not
// have any more has no viewers. With a credential for one site it serves no other.
func edgePlace(m *sites.Map, c sockets.Client) swarm.Place {
	site, _ := m.Named(c.Site)
	return swarm.Place{Site: c.Site, Peering: sites.Full, CrossSite: site.CrossSite && c.Join.ID == "",
		Gateways: cmp.Or(site.Gateways, m.Gateways()), CellSize: m.CellSize(), Edge: true}
}

// siteParameter is the parameter of the announce URL with which a seeder names its site.
const siteParameter = "site"

// edgeDoor refuses a seeder that names a site which the map does not have: it would serve no viewer.
func (s *Server) edgeDoor(r *http.Request) *sockets.Refusal {
	name := r.URL.Query().Get(siteParameter)
	if name == "" {
		return nil
	}
	if _, ok := s.Sites().Named(name); !ok {
		return &sockets.Refusal{Limit: "unknown_site", Status: http.StatusForbidden, Text: "there is no such site; name one of the tracker's map"}
	}
	return nil
}

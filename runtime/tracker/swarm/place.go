package swarm

import (
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// Place is where a socket's client is. The zero value means that no sites are configured.
type Place struct {
	// Site is the name of the site; empty with a Peering: an address in no site.
	Site string
	// Peering says what viewers do with other peers there. It does not bind seeders.
	Peering sites.Peering
	// CrossSite lets gateways of the site meet those of other sites that say so too, and an edge seeder serve other sites.
	CrossSite bool
	// Gateways is how many viewers per rendition and cell are led to peers outside of the site. Zero: Config.Gateways.
	Gateways int
	// CellSize is how many viewers of the site may meet. Zero: Config.CellSize.
	CellSize int
	// Edge says that a seeder serves its own site, and others only with CrossSite. It fills from other seeders.
	Edge bool
}

// open reports whether no sites are configured.
func (p *Place) open() bool { return p.Peering == "" }

// inside reports whether the two are in one site.
func (p *Place) inside(q *Place) bool { return p.Site != "" && p.Site == q.Site }

// central reports whether a seeder serves viewers of all sites.
func (p *Place) central() bool { return !p.Edge || p.CrossSite }

// uploads reports whether a viewer there may be led to as a source.
func (p *Place) uploads() bool { return p.Peering != sites.ReceiveOnly && p.Peering != sites.Off }

// fillsFrom reports whether a seeder gets segments from another one: an edge seeder does from those of its site and from those
// that are no edge seeders, and these from each other.
func (p *Place) fillsFrom(q *Place) bool {
	return !q.Edge || p.Edge && p.inside(q)
}

// mayFill reports whether one of two seeders fills from the other.
func mayFill(p, q *Place) bool { return p.fillsFrom(q) || q.fillsFrom(p) }

// share reports whether two peers are seeders that share the work of getting segments: those of one site, and those of none.
func share(a, b *Socket) bool {
	p, q := &a.Place, &b.Place
	return a.Seeder && b.Seeder && p.Edge == q.Edge && (!p.Edge || p.inside(q))
}

// mayMeet reports whether two peers may be introduced to each other at all. Which of those a viewer is led to is the business
// of route.
func mayMeet(a, b *Socket) bool {
	if a.Seeder && b.Seeder {
		return mayFill(&a.Place, &b.Place)
	}
	if b.Seeder {
		a, b = b, a
	}
	p, q := &a.Place, &b.Place
	switch {
	case q.Peering == sites.Off:
		return false
	case a.Seeder:
		return p.central() || p.inside(q)
	case p.Peering == sites.Off || !p.uploads() && !q.uploads():
		return false
	case p.open() || q.open():
		return p.open() && q.open()
	}
	return p.Site == q.Site || p.CrossSite && q.CrossSite && p.Site != "" && q.Site != ""
}

// origin is what the recipient of an offer or answer is told about its sender; nil without sites, unless both are seeders.
func origin(from, to *Peer) *signaling.Origin {
	p, q := &from.sock.Place, &to.sock.Place
	shares := share(from.sock, to.sock)
	switch {
	case !p.open() && !q.open():
	case shares:
		return &signaling.Origin{Shares: true}
	default:
		return nil
	}
	o := &signaling.Origin{Near: p.inside(q), Shares: shares}
	if !to.sock.Seeder {
		return o // a page does not need the names of sites
	}
	o.Site, o.Gateway, o.ReceiveOnly = p.Site, from.isGateway(), !from.sock.Seeder && !p.uploads()
	if from.cell != nil {
		o.Cell = from.cell.number
	}
	return o
}

package swarm

import (
	"net/netip"

	"github.com/p2pstream/p2pstream/runtime/sites"
)

// group is the viewers of a swarm that may meet: all of them without sites; one cell of a site; or those in no site.
type group struct {
	// viewers that upload, by degree.
	viewers index
	// sources counts the viewers of each source.
	sources map[netip.Addr]int
	// size counts the viewers, also those that only receive.
	size int
}

// enter puts a viewer into the group that its place says. Viewers whose peering is off are in none.
func (s *Swarm) enter(p *Peer) {
	place := &p.sock.Place
	switch {
	case place.Peering == sites.Off:
		return
	case place.open():
		p.group = &s.group
	case place.Site == "":
		if s.elsewhere == nil {
			s.elsewhere = &group{sources: make(map[netip.Addr]int)}
		}
		p.group = s.elsewhere
	default:
		w := s.siteOf(place)
		w.allow(s, place)
		w.emptiest(s).take(s, p)
	}
	s.list(p)
}

// list adds a viewer to the index of its group, which must be set, and to the lists.
func (s *Swarm) list(p *Peer) {
	g := p.group
	g.size++
	if p.sock.Place.uploads() {
		g.viewers.add(p, s.bucket(p))
	}
	if p.sock.Source.IsValid() {
		g.sources[p.sock.Source]++
	}
	s.updateSeederless(p)
}

// exit takes a viewer out of its group.
func (s *Swarm) exit(p *Peer) {
	g := p.group
	if g == nil {
		return
	}
	if p.place.bucket >= 0 {
		g.viewers.remove(p)
	}
	g.size--
	if source := p.sock.Source; source.IsValid() {
		if g.sources[source]--; g.sources[source] == 0 {
			delete(g.sources, source)
		}
	}
	s.seederless.remove(p)
	p.group = nil
	if p.cell != nil {
		p.cell.exit(s, p)
	}
}

// enterSeeder puts a seeder into the indexes of those that it serves.
func (s *Swarm) enterSeeder(p *Peer) {
	place := &p.sock.Place
	if place.central() {
		s.seeders.add(p, s.bucket(p))
	}
	if place.Site != "" {
		w := s.siteOf(place)
		w.seeders.add(p, s.bucket(p))
		s.refresh(w)
	}
}

// exitSeeder takes a seeder out of the indexes.
func (s *Swarm) exitSeeder(p *Peer) {
	if p.place.bucket >= 0 {
		s.seeders.remove(p)
	}
	if p.inner.bucket >= 0 {
		w := s.sites[p.sock.Place.Site]
		w.seeders.remove(p)
		s.refresh(w)
		s.dropSite(w)
	}
}

// moveSeeder moves a seeder to the class of its load.
func (s *Swarm) moveSeeder(p *Peer) {
	b := s.bucket(p)
	if p.place.bucket >= 0 {
		s.seeders.move(p, b)
	}
	if p.inner.bucket >= 0 {
		w := s.sites[p.sock.Place.Site]
		served := w.served()
		w.seeders.move(p, b)
		if served != w.served() {
			s.refresh(w)
		}
	}
}

// wantsOutside reports whether a viewer is to be led to seeders outside of its site. A viewer that only receives is: what it
// takes from the viewers of its site depends on them, and from the origin it would take the same bytes over the same line.
func (s *Swarm) wantsOutside(p *Peer) bool {
	switch {
	case p.group == nil:
		return false
	case p.cell == nil:
		return true
	case !p.isGateway() && p.sock.Place.uploads():
		return false
	}
	return !p.cell.site.served() || p.cutOff()
}

// updateSeederless adds a viewer to the lists of those that want a seeder and have none, or removes it.
func (s *Swarm) updateSeederless(p *Peer) {
	if p.group == nil {
		return
	}
	s.seederless.set(p, p.seeders == 0 && s.wantsOutside(p))
	if p.cell != nil {
		p.cell.site.seederless.set(p, p.insiders == 0)
	}
}

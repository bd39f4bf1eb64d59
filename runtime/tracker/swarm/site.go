package swarm

import (
	"net/netip"
	"slices"
	"time"
)

// site is a site's viewers and seeders in one swarm.
type site struct {
	name string
	// gateways is how many gateways each cell has, cellSize how many viewers.
	gateways, cellSize int
	// seeders inside of the site, by load.
	seeders index
	// seederless are viewers without a seeder inside.
	seederless list
	// cells are never empty.
	cells []*cell
}

// cell is a part of a site whose viewers meet only one another. Most sites have one.
type cell struct {
	group
	site *site
	// number is unique in the site and stays as it is, since seeders remember it. The first cell of a site has 0.
	number   int
	members  list
	gateways []*Peer
	// opened is when the cell had its first gateway, reviewed when an idle gateway was last replaced.
	opened, reviewed time.Time
}

// maxGateways bounds what a place may ask for.
const maxGateways = 64

func (s *Swarm) siteOf(place *Place) *site {
	w := s.sites[place.Site]
	if w == nil {
		if s.sites == nil {
			s.sites = make(map[string]*site)
		}
		w = &site{name: place.Site, gateways: s.cfg.Gateways, cellSize: s.cfg.CellSize, seeders: index{inner: true}, seederless: list{pos: ofInsideless}}
		s.sites[place.Site] = w
		s.siteList = append(s.siteList, w)
	}
	return w
}

// leastCell bounds what a place may ask for.
const leastCell = 10

// allow sets how many gateways and viewers each cell has, as the place of the latest viewer says: the map may have changed. Cells
// that have more viewers then get no further ones.
func (w *site) allow(s *Swarm, place *Place) {
	w.cellSize = s.cfg.CellSize
	if place.CellSize > 0 {
		w.cellSize = max(place.CellSize, leastCell)
	}
	limit := s.cfg.Gateways
	if place.Gateways > 0 {
		limit = min(place.Gateways, maxGateways)
	}
	if limit == w.gateways {
		return
	}
	w.gateways = limit
	for _, c := range w.cells {
		for len(c.gateways) > limit {
			c.dismiss(s, c.gateways[len(c.gateways)-1])
		}
		c.fill(s, CauseMap)
	}
}

// dropSite forgets a site without peers.
func (s *Swarm) dropSite(w *site) {
	if len(w.cells) > 0 || w.seeders.n > 0 {
		return
	}
	delete(s.sites, w.name)
	if i := slices.Index(s.siteList, w); i >= 0 {
		s.siteList = slices.Delete(s.siteList, i, i+1)
	}
}

// served reports whether a seeder inside has room.
func (w *site) served() bool { return w.seeders.next(0) < saturated }

// refresh updates which viewers want a seeder outside, after those inside have changed.
func (s *Swarm) refresh(w *site) {
	for _, c := range w.cells {
		concerned := c.gateways
		if c.viewers.n < c.size { // some only receive
			concerned = c.members.peers
		}
		for _, p := range concerned {
			s.updateSeederless(p)
		}
	}
}

// emptiest returns the emptiest cell below the bound, or a new one.
func (w *site) emptiest(s *Swarm) (to *cell) {
	for _, c := range w.cells {
		if c.size < w.cellSize && (to == nil || c.size < to.size) {
			to = c
		}
	}
	if to == nil {
		number := w.unused()
		to = &cell{site: w, number: number, group: group{sources: make(map[netip.Addr]int)}, members: list{pos: ofMembers}}
		w.cells = append(w.cells, to)
		s.stats.Cells.Add(1)
	}
	return to
}

// connectWithin is for how long a new cell's first gateway is not joined by others although it has no seeder yet.
const connectWithin = 2 * time.Second

// wanted is how many gateways the cell is to have now. Viewers that start together lack the same segments: several gateways
// would each bring them over the line, while the line is what all wait for.
func (c *cell) wanted(s *Swarm) int {
	age := s.clock.Sub(c.opened)
	if age >= s.cfg.NewCell || age >= connectWithin && !slices.ContainsFunc(c.gateways, (*Peer).answeredBySeeder) {
		return c.site.gateways
	}
	return min(c.site.gateways, max(1, len(c.gateways)))
}

// take makes a viewer a member. A cell that has too few gateways is given one: the first viewer does not wait.
func (c *cell) take(s *Swarm, p *Peer) {
	p.cell, p.group = c, &c.group
	c.members.set(p, true)
	s.note(p)
	if c.opened.IsZero() {
		c.opened = *s.clock
	}
	if len(c.gateways) < c.wanted(s) && p.sock.Place.uploads() {
		c.appoint(s, p, true)
	}
}

// exit removes a viewer; its size has been counted down already. A gateway is succeeded at once.
func (c *cell) exit(s *Swarm, p *Peer) {
	w := c.site
	w.seederless.remove(p)
	c.members.remove(p)
	gateway := p.isGateway()
	if gateway {
		c.dismiss(s, p)
	}
	p.cell = nil
	switch {
	case c.size == 0:
		w.cells = slices.DeleteFunc(w.cells, func(other *cell) bool { return other == c })
		s.stats.Cells.Add(-1)
		s.dropSite(w)
	case gateway:
		c.fill(s, CauseLeft)
	}
}

// unused is the lowest number that no cell has.
func (w *site) unused() (n int) {
	for slices.ContainsFunc(w.cells, func(c *cell) bool { return c.number == n }) {
		n++
	}
	return n
}

// merge joins the two smallest cells if both together fill half of one. It returns the members that were moved.
func (w *site) merge(s *Swarm) []*Peer {
	var least, next *cell
	for _, c := range w.cells {
		switch {
		case least == nil || c.size < least.size || c.size == least.size && c.number > least.number:
			least, next = c, least
		case next == nil || c.size < next.size:
			next = c
		}
	}
	if next == nil || least.size+next.size > w.cellSize/2 {
		return nil
	}
	moved := slices.Clone(least.members.peers)
	for _, p := range moved {
		if p.isGateway() {
			least.dismiss(s, p) // without a successor
		}
		s.exit(p)
	}
	for _, p := range moved {
		next.take(s, p)
		s.list(p)
	}
	return moved
}

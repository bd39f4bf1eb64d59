package swarm

import "time"

// A seeder tells about one viewer of a site of each new segment. Two seeders do not know of each other, and whether a viewer is
// late they judge by what it asks of them. So each of them would bring a copy into the site. Therefore all viewers of a cell
// that are led outside are led to one seeder, its supplier, for as long as it has room.

const (
	// suppliers is to how many seeders outside of their site the viewers of a cell are led.
	suppliers = 1
	// expectAnswer is for how long an offer that has no answer yet counts: a seeder that hangs must not stay the supplier.
	expectAnswer = 3 * time.Second
)

// supplier returns the seeder outside of the site that most gateways of the cell are connected with, or are about to be; nil if
// there is none with room.
func (c *cell) supplier(s *Swarm, now time.Time) (best *Peer) {
	most := 0
	for _, p := range c.gateways {
		for i := range p.relations {
			q := p.relations[i].peer
			if !q.sock.Seeder || p.sock.Place.inside(&q.sock.Place) || s.bucket(q) == saturated || !p.relations[i].supplied(now) {
				continue
			}
			if n := c.suppliedBy(q, now); n > most {
				best, most = q, n
			}
		}
	}
	return best
}

// suppliedBy counts the gateways that a seeder supplies.
func (c *cell) suppliedBy(q *Peer, now time.Time) (n int) {
	for _, p := range c.gateways {
		if i := p.find(q); i >= 0 && p.relations[i].supplied(now) {
			n++
		}
	}
	return n
}

// supplied reports whether the other side, a seeder, probably supplies this one.
func (r *relation) supplied(now time.Time) bool {
	if r.linked {
		return r.again < outOfReach
	}
	return r.pending && now.Sub(r.at) < expectAnswer
}

// toOutside gives up to n offers to seeders outside of the viewer's site.
func (r *routing) toOutside(n int) {
	from := r.from
	n = min(n, r.s.cfg.Seeders-from.seeders)
	if from.cell == nil {
		r.toSeeders(&r.s.seeders, n)
		return
	}
	lead := from.cell.supplier(r.s, r.now)
	switch {
	case n <= 0:
	case lead == nil:
		r.toSeeders(&r.s.seeders, suppliers)
	case r.fits(lead):
		r.dst = append(r.dst, lead)
	}
}

// supplies reports whether the announcer, a seeder, may make an offer to a viewer: from outside of a site only as supplier.
func (r *routing) supplies(p *Peer) bool {
	if p.cell == nil || p.sock.Place.inside(&r.from.sock.Place) {
		return true
	}
	lead := p.cell.supplier(r.s, r.now)
	return lead == nil || lead == r.from
}

package swarm

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// askAgain is after what time a seeder is asked for offers again that has sent none.
// Each time that this leads to nothing the time doubles, up to askRarely.
const (
	askAgain  = 2 * time.Second
	askRarely = 30 * time.Second
)

// settle follows a change of a swarm with sites: viewers that want a seeder and have none are not made to wait for their next
// announce. Seeders can offer at any time, so they are asked to.
func (c *Core) settle(s *Swarm, now time.Time) {
	c.tellSeeders(s)
	if len(s.siteList) == 0 && s.elsewhere == nil {
		return
	}
	c.follow(s)
	c.ask(s, &s.seeders, len(s.seederless.peers)-c.askSuppliers(s, now), now)
	for _, w := range s.siteList {
		if w.seeders.n > 0 {
			c.ask(s, &w.seeders, len(w.seederless.peers), now)
		}
	}
}

// ask asks the least loaded seeders of an index for up to n offers.
func (c *Core) ask(s *Swarm, from *index, n int, now time.Time) {
	if n <= 0 {
		return
	}
	for b := from.next(0); b < saturated; b = from.next(b + 1) {
		for _, p := range from.classes[b] {
			if n -= c.askOne(s, p, n, now); n <= 0 {
				return
			}
		}
	}
}

// askOne asks a seeder with room for up to n offers, unless it has been asked lately. It returns how many it is asked for.
func (c *Core) askOne(s *Swarm, p *Peer, n int, now time.Time) int {
	if p.asked && now.Sub(p.askedAt) < min(askAgain<<min(p.vain, 8), askRarely) {
		return p.askedFor
	}
	if p.asked {
		p.vain++
	}
	load, limit := p.sock.load(c.cfg)
	p.asked, p.askedAt, p.askedFor = true, now, min(n, limit-load, signaling.MaxRequestedOffers)
	c.Stats.OffersRequested.Add(uint64(p.askedFor))
	c.deliver(p.sock, func(b []byte) []byte { return signaling.AppendOffersRequest(b, s.hash, p.askedFor) })
	return p.askedFor
}

// askSuppliers asks the suppliers of cells for offers to gateways without a seeder, since other seeders may make them none. It
// returns for how many of these gateways.
func (c *Core) askSuppliers(s *Swarm, now time.Time) (n int) {
	if !s.available() {
		return 0
	}
	wanted := map[*Peer]int{}
	for i, p := range s.seederless.peers {
		if i == probes {
			break
		}
		if p.cell == nil {
			continue
		}
		if lead := p.cell.supplier(s, now); lead != nil {
			wanted[lead]++
			n++
		}
	}
	inOrder := func(a, b *Peer) int { return cmp.Compare(a.order, b.order) }
	for _, lead := range slices.SortedFunc(maps.Keys(wanted), inOrder) {
		c.askOne(s, lead, wanted[lead], now)
	}
	return n
}

// available reports whether a seeder that serves all sites has room.
func (s *Swarm) available() bool { return s.seeders.next(0) < saturated }

// nudge has a viewer announce soon: clients take the interval from any reply.
func (c *Core) nudge(p *Peer) {
	c.Stats.Nudges.Add(1)
	c.reply(p.sock, p.swarm, time.Second, p)
}

// follow has Tick look after a swarm with sites.
func (c *Core) follow(s *Swarm) {
	if !s.followed {
		s.followed = true
		c.sited = append(c.sited, s)
	}
}

func (c *Core) unfollow(s *Swarm) {
	if s.followed {
		s.followed = false
		c.sited = slices.DeleteFunc(c.sited, func(other *Swarm) bool { return other == s })
	}
}

// mergeEvery is how often the cells of a swarm are looked at.
const mergeEvery = 10 * time.Second

// tend looks after gateways and cells once a second.
func (c *Core) tend(now time.Time) {
	for _, s := range slices.Clone(c.sited) {
		merging := now.Sub(s.merged) >= mergeEvery
		if merging {
			s.merged = now
		}
		for _, w := range s.siteList {
			if merging && len(w.cells) > 1 {
				moved := w.merge(s)
				c.Stats.CellsMerged.Add(uint64(min(1, len(moved))))
				for _, p := range moved {
					c.nudge(p) // it is to meet its new neighbours
				}
			}
			for _, in := range w.cells {
				c.review(s, in, now)
			}
		}
		c.settle(s, now)
		if len(s.siteList) == 0 && (s.elsewhere == nil || s.elsewhere.size == 0) {
			s.elsewhere = nil
			c.unfollow(s)
		}
	}
}

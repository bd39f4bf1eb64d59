package swarm

import (
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Seeders offer a new segment to one gateway of a site, and several of them choose the same one if they see the same gateways
// (rendezvous hashing, see package superseed). Those of a cell are therefore led to the same seeders outside; if each were led
// to the least loaded ones, a segment would enter the site once for each seeder that some gateway of it has.

// ranked returns the seeders that serve all sites and have room, at most probes, in the order in which the viewers of a cell are
// led to them: by a hash of both, so that each seeder is the first of as many cells as any other. Those that did not react when
// they were asked for offers come last. The result is valid until the next call.
func (s *Swarm) ranked(c *cell) []*Peer {
	all := s.rankedScratch[:0]
	for b := s.seeders.next(0); b < saturated && len(all) < probes; b = s.seeders.next(b + 1) {
		class := s.seeders.classes[b]
		all = append(all, class[:min(len(class), probes-len(all))]...)
	}
	slices.SortFunc(all, func(p, q *Peer) int {
		if d := asInt(p.vain > 0) - asInt(q.vain > 0); d != 0 {
			return d
		}
		if a, b := mix(c.seed^p.seed), mix(c.seed^q.seed); a != b {
			return asInt(a < b) - asInt(a > b)
		}
		return asInt(p.order > q.order) - asInt(p.order < q.order)
	})
	s.rankedScratch = all
	return all
}

// first reports whether a seeder is one of those that the viewers of a cell are led to.
func (s *Swarm) first(seeder *Peer, c *cell) bool {
	all := s.ranked(c)
	return slices.Contains(all[:min(len(all), s.cfg.Seeders)], seeder)
}

// toRanked gives up to n offers of a viewer of a cell to seeders outside.
func (r *routing) toRanked(n int) {
	for _, p := range r.s.ranked(r.from.cell) {
		if n <= 0 {
			return
		}
		if r.fits(p) {
			r.dst = append(r.dst, p)
			n--
		}
	}
}

// askOutside asks seeders for offers to the viewers that want one outside of their site and have none.
func (c *Core) askOutside(s *Swarm, now time.Time) {
	all := s.seederless.peers
	all = all[:min(len(all), probes)]
	rest := 0
	var asked []*Peer
	for _, p := range all {
		if p.cell == nil {
			rest++
		} else if by := s.ranked(p.cell); len(by) > 0 {
			if by[0].wanted++; by[0].wanted == 1 {
				asked = append(asked, by[0])
			}
		}
	}
	for _, p := range asked {
		c.askOne(s, p, p.wanted, now)
		p.wanted = 0
	}
	c.ask(s, &s.seeders, rest, now)
}

// askOne asks a seeder for up to n offers, unless it was asked a moment ago. It returns for how many it is asked now.
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

// seedOf is a hash of a name, for rendezvous hashing.
func seedOf(name string, number int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	_, _ = h.Write(strconv.AppendInt([]byte{0}, int64(number), 10))
	return h.Sum64()
}

// mix spreads the bits of a hash (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

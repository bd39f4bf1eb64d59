package swarm

import (
	"math/rand/v2"
	"time"
)

// quickRetries is how many announces in a row that find an empty swarm get the minimum interval; later ones wait longer.
const quickRetries = 5

// interval returns when p should announce again: soon while it has no peers or fewer than the swarm could give it,
// later when it has enough. The result is between MinInterval and MaxInterval, in whole seconds, and
// randomized by a tenth so that peers that joined together do not keep announcing together.
func (s *Swarm) interval(p *Peer, rnd *rand.Rand) time.Duration {
	lo, hi := s.cfg.MinInterval, s.cfg.MaxInterval
	others := s.others(p)
	switch {
	case p.group == nil && !p.sock.Seeder:
		return ceilSeconds(hi, lo, hi) // it is introduced to no peer
	case s.lacksSeeders(p):
		return ceilSeconds(lo, lo, hi) // its site would take everything from the origin
	case p.isGateway() && s.wantsOutside(p):
		hi = min(hi, max(2*lo, s.cfg.GatewayInterval)) // so that its silence is noticed soon
	}
	var d time.Duration
	switch {
	case others == 0 && p.lonely < quickRetries:
		return ceilSeconds(lo, lo, hi)
	case others == 0:
		d = 3 * lo
	default:
		want := min(s.cfg.Peers, others)
		// A peer whose introductions lead to few connections needs more of them.
		have := min(p.filled(), want) * (p.links + 1) / (p.links + p.failed + 1)
		d = 2*lo + time.Duration(int64(hi-2*lo)*int64(have)/int64(want))
		// In a swarm of two or three members no peer can have many connections; the full maximum would make newcomers
		// wait too long for a second attempt.
		if others < s.cfg.Peers {
			d = min(d, max(2*lo, hi/2))
		}
	}
	d += time.Duration(float64(d) * 0.1 * (2*rnd.Float64() - 1))
	return ceilSeconds(d, lo, hi)
}

// others is how many members p could connect to. Of a seeder it does not count other seeders.
func (s *Swarm) others(p *Peer) (n int) {
	place := &p.sock.Place
	switch {
	case p.sock.Seeder && place.central():
		for _, c := range s.siteList {
			for _, in := range c.cells {
				n += in.size
			}
		}
		if s.elsewhere != nil {
			n += s.elsewhere.size
		}
		return n + s.group.size
	case p.sock.Seeder:
		if w := s.sites[place.Site]; w != nil {
			for _, in := range w.cells {
				n += in.size
			}
		}
		return n
	case p.group == nil:
		return 0
	case place.open():
		return len(s.members) - 1
	}
	n = p.group.viewers.n - asInt(p.place.bucket >= 0)
	if !place.uploads() && p.cell == nil {
		n = 0
	}
	if p.cell != nil {
		n += p.cell.site.seeders.n
	}
	if s.wantsOutside(p) {
		n += s.seeders.n
	}
	return n
}

func ceilSeconds(d, lo, hi time.Duration) time.Duration {
	d = (d + time.Second - 1).Truncate(time.Second)
	return min(max(d, lo), hi)
}

package swarm

import (
	"math/rand/v2"
	"time"
)

// patience is how often a peer that finds nobody is told to come back at once; after that it comes less often.
const patience = 5

// interval says when p should announce again: soon while it is alone or lacks peers that the swarm could give it,
// late when it has what it needs. The result is between MinInterval and MaxInterval, in whole seconds, and
// scattered by a tenth so that peers that came together do not come together for ever.
func (s *Swarm) interval(p *Peer, rnd *rand.Rand) time.Duration {
	lo, hi := s.cfg.MinInterval, s.cfg.MaxInterval
	others := s.others(p)
	var d time.Duration
	switch {
	case others == 0 && p.lonely < patience:
		return ceilSeconds(lo, lo, hi)
	case others == 0:
		d = 3 * lo
	default:
		want := min(s.cfg.Peers, others)
		have := min(p.links, want)
		d = 2*lo + time.Duration(int64(hi-2*lo)*int64(have)/int64(want))
		// With two or three members nobody can have many peers; a whole maximum would make newcomers wait for
		// second chances.
		if others < s.cfg.Peers {
			d = min(d, max(2*lo, hi/2))
		}
	}
	d += time.Duration(float64(d) * 0.1 * (2*rnd.Float64() - 1))
	return ceilSeconds(d, lo, hi)
}

// others is how many members p could be connected with: seeders have nothing to do with each other.
func (s *Swarm) others(p *Peer) int {
	if p.sock.Seeder {
		return s.viewers.n
	}
	return len(s.byID) - 1
}

func ceilSeconds(d, lo, hi time.Duration) time.Duration {
	d = (d + time.Second - 1).Truncate(time.Second)
	return min(max(d, lo), hi)
}

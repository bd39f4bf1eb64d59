package sockets

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/fairshare"
	"github.com/p2pstream/p2pstream/internal/tokenbucket"
)

// competing is what groups that compete have together. server.mu guards it.
type competing struct {
	leaving int   // sockets that are being closed in favour of other groups
	weight  int64 // of the groups that compete, as of at
	groups  int
	at      int64
}

// leastLeaving is how many sockets may be closing in favour of other groups on a server of any size; a larger one may have one in a
// hundred of its sockets. It bounds by how much the limit of sockets is exceeded while they close.
const leastLeaving = 64

// use is what a group has. server.mu is held, as by those that follow.
func (g *Group) use() fairshare.Use {
	return fairshare.Use{Used: g.viewers.Load() + g.seeders.Load() - int64(g.leaving), Weight: g.weight()}
}

func (g *Group) weight() int64 {
	if g.cfg.Weight == nil {
		return 1
	}
	return max(1, g.cfg.Weight())
}

// makeRoom returns the newest viewer of the group that has most for its weight, to be closed in favour of a socket of g; nil if
// g has as much. Those that came first stay: a flood comes later.
func (s *Server) makeRoom(g *Group) *conn {
	if s.competing.leaving >= max(leastLeaving, s.cfg.Sockets/100) {
		return nil
	}
	var most *Group
	for other := range s.groups {
		if most == nil || fairshare.More(other.use(), most.use()) {
			most = other
		}
	}
	if most == nil || most == g || most.newest == nil || !fairshare.Precedes(g.use(), most.use(), 1) {
		return nil
	}
	victim := most.newest
	most.unlink(victim)
	victim.yields = true
	most.leaving++
	s.competing.leaving++
	return victim
}

// link adds a viewer to those of its group.
func (g *Group) link(c *conn) {
	if c.seeder || c.yields {
		return
	}
	c.older, c.newer = g.newest, nil
	if g.newest != nil {
		g.newest.newer = c
	}
	g.newest = c
}

// unlink removes it, if it is one of them.
func (g *Group) unlink(c *conn) {
	switch {
	case c.newer != nil:
		c.newer.older = c.older
	case g.newest == c:
		g.newest = c.older
	default:
		return
	}
	if c.older != nil {
		c.older.newer = c.newer
	}
	c.older, c.newer = nil, nil
}

// competes is for how long after its last request to connect a group without sockets competes, in milliseconds.
const competes = 10_000

// assured reports whether a group may accept one more client although all groups together are above the rate of upgrades: where
// several compete, each has its part of half of the rate in addition, so that a flood at one does not lock out others.
func (s *Server) assured(g *Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	g.asked = now
	if t := &s.competing; now-t.at >= time.Second.Milliseconds() || t.at == 0 {
		t.at, t.weight, t.groups = now, 0, 0
		for other := range s.groups {
			if other.asked != 0 && now-other.asked < competes || other.use().Used > 0 {
				t.weight += other.weight()
				t.groups++
			}
		}
	}
	if s.competing.groups < 2 {
		return false
	}
	part := func(whole int) float64 { return fairshare.Part(float64(whole)/2, g.weight(), s.competing.weight) }
	rate := tokenbucket.Rate{PerSecond: part(s.cfg.UpgradesPerSecond), Burst: max(1, part(s.cfg.UpgradeBurst))}
	return g.asks.Take(rate, 1, time.Since(s.started))
}

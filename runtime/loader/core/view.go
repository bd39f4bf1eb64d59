package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// view fetches and requests what a viewer is going to play.
func (c *Core) view(now time.Time) {
	cfg := &c.Config
	v := schedule.View{
		Now: now, Limits: c.limits(), Random: c.Config.Random,
		Lottery: func(id int64) float64 { return hashFraction(c.Config.Seed, id) },
	}
	c.elect(&v)
	if c.playhead != nil {
		v.Playhead = c.position(now)
	}
	if !c.Config.Alone {
		v.WaitUntil = c.joinedAt.Add(startupWait(cfg, c.hadNoPeers, c.driver.Reachable(now), c.peersAnnounced()))
		v.PrefetchFrom = c.joinedAt.Add(prefetchFrom(cfg, len(c.peers) > 0 || !c.electing(), c.census.Peers))
	}
	oldestClaim := OldestClaim(now, c.playlist.TargetDuration)
	peers := make(map[Peer]int, len(c.peers))
	for i, s := range c.peers {
		peers[s] = i
		g, a := s.Generation(), s.Announced()
		_, busy := s.Flight()
		if !c.usable(s, now) {
			a = nil
		}
		v.Peers = append(v.Peers, schedule.Peer{
			Seeder: s.Seeder(), Busy: busy, Speed: float64(s.Speed()),
			Holds: func(sequence int64) schedule.Holding {
				return a.Holding(c.table.externalID(sequence, g), oldestClaim)
			},
		})
	}
	var segs []*Segment
	for _, seg := range c.table.order {
		if c.playhead != nil && seg.State == schedule.Missing && seg.Start+seg.Duration <= v.Playhead {
			continue // played, or before where playback began: in a long playlist most are
		}
		if seg.Gap || (!seg.InPlaylist() && seg.State == schedule.Missing && seg.Readers.Len() == 0) {
			continue
		}
		segs = append(segs, seg)
		v.Segments = append(v.Segments, scheduled(seg, peers, now))
	}
	if v.Rank == nil && c.electing() {
		v.Election = c.election(segs, now)
	}
	if cfg.OnDemand {
		v.Needs = c.needs(segs, v.Segments, now)
	}
	v.Room = c.room(segs, now)
	for _, a := range schedule.Viewer(v) {
		seg := segs[a.Segment]
		switch a.Kind {
		case schedule.Abandon:
			c.Abandon(seg, now)
		case schedule.Fetch:
			if seg.State == schedule.Missing {
				c.Fetch(seg, now)
			}
		case schedule.Request:
			if seg.State != schedule.Missing {
				continue // just abandoned: it is requested when its bytes are here
			}
			c.Request(c.peers[a.Peer], seg, now)
		}
	}
}

// elect makes the viewer one of peers that elect who asks the origin, if those of its first generation do.
func (c *Core) elect(v *schedule.View) {
	g := c.Config.Generations[0]
	own, ok := c.driver.Own()
	if !ok || !identity.RulesOf(g).Elects {
		return
	}
	var others []string
	for _, s := range c.peers {
		if s.Generation() == g {
			others = append(others, string(s.ID()))
		}
	}
	v.FetchTime = c.origin.usual
	v.Rank = func(sequence int64) int {
		return schedule.Rank(string(own), others, c.table.externalID(sequence, g))
	}
}

// limits are those of a viewer at this moment.
func (c *Core) limits() schedule.Limits {
	l := c.Config.Limits
	if !c.Config.SeedersHold {
		return l
	}
	for _, s := range c.peers {
		if s.Origin().Near {
			return l.Relayed(c.playlist.TargetDuration)
		}
	}
	return l
}

// peersAnnounced tells whether a connected peer has announced anything.
func (c *Core) peersAnnounced() bool {
	for _, s := range c.peers {
		if s.Announced() != nil {
			return true
		}
	}
	return false
}

// scheduled is a segment as the scheduler sees it; peers are their indexes in the View.
func scheduled(seg *Segment, peers map[Peer]int, now time.Time) schedule.Segment {
	out := schedule.Segment{
		ID: seg.Sequence, Start: seg.Start, Duration: seg.Duration,
		State: seg.State, RetryAt: seg.RetryAt, NotFrom: -1, Unproven: seg.Unproven,
	}
	if i, ok := peers[seg.NotFrom]; ok && seg.NotFrom != nil {
		out.NotFrom = i
	}
	if seg.State == schedule.Fetching {
		a := seg.transfer.Progress()
		out.Flight = schedule.Flight{Peer: -1, Since: seg.since, LastBytes: a.At, Received: a.Received, Remaining: a.Remaining}
	}
	if seg.State == schedule.Requested {
		f, running := seg.From.Flight()
		if !running {
			f.Since = now // it has just ended: what it brought is in the mailbox
		}
		f.Peer = peers[seg.From]
		out.Flight = f
	}
	return out
}

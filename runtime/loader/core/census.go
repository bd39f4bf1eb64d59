package core

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Census is how many others take part in the swarm of the first generation.
type Census struct {
	Peers, Seeders int
	Known          bool // a tracker has said so
}

// Counted takes what a tracker says of the swarm.
func (c *Core) Counted(census Census) { c.census = census }

// electing tells whether viewers choose one of them for each segment: in a swarm without seeders, where all that one fetches can serve
// the others. Where a seeder is, it holds what they need, and a peer's word that something is on its way is not passed on.
func (c *Core) electing() bool {
	return !c.Config.Seeder && !c.Config.OnDemand && c.census.Known && c.census.Seeders == 0 &&
		!slices.ContainsFunc(c.peers, Peer.Seeder)
}

// election is what schedule.Viewer needs to know to choose one viewer of many for a segment.
func (c *Core) election(segs []*Segment, now time.Time) *schedule.Election {
	return &schedule.Election{Others: c.census.Peers, Since: func(i int, claimed bool) time.Time {
		seg := segs[i]
		switch {
		case claimed:
			seg.unclaimedAt = time.Time{}
		case seg.unclaimedAt.IsZero():
			seg.unclaimedAt = now
		}
		return seg.unclaimedAt
	}}
}

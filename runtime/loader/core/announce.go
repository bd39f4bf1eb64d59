package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Announced is what peers of a generation are told of a segment.
func (c *Core) Announced(seg *Segment, g identity.Generation) schedule.Holding {
	switch {
	case c.Silent() || !seg.Clear(g):
		return schedule.Absent
	case seg.Held():
		return schedule.Loaded
	case seg.State == schedule.Fetching, c.filling.comes(seg), c.passesOn(seg):
		return schedule.Loading
	}
	return schedule.Absent
}

// passesOn tells whether a segment that a peer is sending is announced as on its way: by a seeder always, and by a viewer in a live
// stream without seeders, where the news that one viewer is fetching a segment must be faster than the turns of those that it is not connected with.
func (c *Core) passesOn(seg *Segment) bool {
	return seg.State == schedule.Requested && (c.Config.Seeder || c.playlist.Live && c.electing())
}

// Expected returns the newest segment if its successor may be announced as on its way; nil otherwise.
func (c *Core) Expected(now time.Time) *Segment {
	if !c.Config.Seeder || c.Silent() || !c.playlist.Live || c.playlist.Ended || len(c.table.order) == 0 {
		return nil
	}
	last := c.table.order[len(c.table.order)-1]
	failed := c.failing || last.Failures > 0
	if !schedule.ExpectedNext(c.newestAt, last.Duration, c.playlist.TargetDuration, failed, now) {
		return nil
	}
	return last
}

// Withdraw gives up what is on its way at a seeder that leaves: it would not be announced any more.
func (c *Core) Withdraw() {
	if !c.Config.Seeder {
		return
	}
	for _, seg := range c.table.order {
		if seg.State == schedule.Fetching || seg.State == schedule.Requested {
			c.giveUp(seg)
		}
	}
}

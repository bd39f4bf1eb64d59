package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// A URL shows one event after the other. They may use the same names and numbers for other media, so nothing that is
// held of one is ever passed on as a part of another: not from the store, and not to or from peers of the old swarms.

// event is what is known of the begin of events.
type event struct {
	suspected bool // a new one may have begun: nothing is announced
	apart     bool // a new one has begun, and its swarms are not joined yet: peers are those of the old one
	unseen    bool // a new one has begun, others say, and the playlist does not show it yet
}

// apartPause is how long a viewer waits for the swarms of a new event before it asks the origin for its first segment.
const apartPause = 1500 * time.Millisecond

// Expect takes that a new event has begun, which the playlist may not show yet. What is held of the old one is dropped, and
// nothing is fetched before that event is seen.
func (c *Core) Expect(now time.Time) {
	c.forget(now)
	c.event.unseen, c.playlist = true, nil
}

// Awaits tells whether a playlist is still that of the event before the one that is expected.
func (c *Core) Awaits(p *manifest.Playlist) bool { return c.event.unseen && !p.Restarted }

// begin drops what belongs to the event before: a stream that begins anew may use the same numbers, and even the same
// URLs, for other media.
func (c *Core) begin(now time.Time) {
	c.forget(now)
	c.event.suspected, c.event.unseen = false, false
	if !c.driver.NewEvent() {
		return
	}
	// The swarms are left now. Peers that are still connected have, and want, the old event's segments.
	c.event.apart = true
	c.forgetPeers()
	if !c.Config.Seeder {
		c.joinedAt = now.Add(apartPause)
	}
}

// Joined begins to share with the swarms that were joined.
func (c *Core) Joined(now time.Time) {
	c.event.apart = false
	c.joinedAt = now
	c.census = Census{}
	c.Changed = true
}

// forget drops all segments.
func (c *Core) forget(now time.Time) {
	for _, seg := range c.table.order {
		c.drop(seg)
	}
	c.table.order = nil
	clear(c.table.bySeq)
	clear(c.table.byKey)
	c.driver.Known(0)
	c.driver.Forgotten()
	if c.playhead != nil {
		c.playhead.wait(now)
	}
}

// Suspect takes whether a new event may have begun.
func (c *Core) Suspect(is bool) {
	if c.event.suspected == is {
		return
	}
	c.event.suspected = is
	c.Changed = true
	if is {
		c.driver.Doubted()
	}
}

// Silent tells whether peers must not get what is held.
func (c *Core) Silent() bool { return c.event.suspected || c.event.apart }

// renamed has a segment that was refused asked for at once under its new URL.
func (c *Core) renamed(seg *Segment, m manifest.Segment) {
	if seg.URL == m.URL || seg.State != schedule.Missing || !seg.Problem.Refused {
		return
	}
	seg.Failures, seg.Problem, seg.RetryAt = 0, Failure{}, time.Time{}
	c.origin.succeeded()
}

// endsAt tells the clock of a viewer where a live event that has ended ends: to have no more media there is no stall.
func (c *Core) endsAt(p *manifest.Playlist) {
	if c.playhead == nil || !c.playhead.based || !p.Ended || len(p.Segments) == 0 {
		return
	}
	last := p.Segments[len(p.Segments)-1]
	c.playhead.clock.SetEnd(last.Start + last.Duration - c.playhead.base)
}

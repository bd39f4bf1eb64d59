package core

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// A seeder gets what it is to hold from other seeders, and from the origin only what these do not bring in time; see
// schedule.Fill. An edge seeder fills from those of its site and from central ones, a central one from others like it. One
// that is alone asks the origin at once.
const (
	fillHello   = time.Second      // how long after it joined a central one may take to learn whether it is alone
	fillConnect = 3 * time.Second  // how long after it joined a first connection may take
	calmConnect = 10 * time.Second // the same at the edge for segments that players are not near
	fillTrouble = time.Minute      // a failure so long after the first one in a row is a first one
	fillAhead   = 8                // segments that may wait for other seeders, beside those that are fetched
	fillSilent  = 3                // target durations after which a central seeder that announces nothing new has no turn
)

// filling is what a seeder waits for.
type filling struct {
	on              bool              // other seeders are asked, or may soon be
	expect          time.Time         // until then a first connection to a seeder may still come
	slots           int               // segments that may come from the origin at a time
	waiting, before map[*Segment]bool // segments that wait for another seeder, in this pass and in the one before
	until           time.Time         // when the first of them is not waited for any longer; zero: none waits
	fetching        int               // segments that come from the origin
	heard           map[Peer]heard
	given           int           // segments that came from another seeder
	mates           int           // seeders that share the work, are connected and do their part
	metAt           time.Time     // when one of these came
	failedAt        time.Time     // when a seeder failed to deliver, and none has delivered since
	reach           time.Duration // players are near segments from here on; of a film, to none
}

// comes tells whether a segment is announced as on its way though the origin is not asked: a seeder waits for another one.
func (f *filling) comes(seg *Segment) bool { return f.waiting[seg] }

// slots is how many segments are looked at in one pass.
func (c *Core) slots() int {
	if c.filling.on {
		return seederSlots + fillAhead
	}
	return seederSlots
}

// retryAt is before what time a segment is not looked at. With other seeders that concerns the origin alone.
func (c *Core) retryAt(seg *Segment) time.Time {
	if c.filling.on {
		return time.Time{}
	}
	return seg.RetryAt
}

// company notes whether there are other seeders to get segments from. Before a central seeder knows, it asks the origin for one
// segment at a time: the others may hold the rest. It waits for none when a viewer is connected already, or when it is not clear
// which event the others have.
func (c *Core) company(now time.Time) {
	f := &c.filling
	f.meet(c, now)
	f.slots, f.expect = seederSlots, time.Time{}
	connect := c.joinedAt.Add(fillConnect)
	switch {
	case c.Config.Alone:
		f.on = false
	case c.Config.Edge:
		f.on, f.expect = true, connect
	case c.Silent():
		f.on = false
	case f.mates > 0:
		f.on = true
	case c.audience():
		f.on = false
	case !c.census.Known:
		if f.on = now.Before(c.joinedAt.Add(fillHello)); f.on {
			f.slots = 1
		}
	default:
		if f.on = c.census.Seeders > 0 && now.Before(connect); f.on {
			f.expect = connect
		}
	}
}

// audience tells whether a viewer is connected.
func (c *Core) audience() bool {
	return slices.ContainsFunc(c.peers, func(s Peer) bool { return !s.Seeder() })
}

// beginFilling begins a pass, and gives up requests to other seeders that take too long.
func (c *Core) beginFilling(now time.Time) {
	f := &c.filling
	c.company(now)
	f.before, f.waiting = f.waiting, nil
	f.until = time.Time{}
	if f.on {
		f.waiting = make(map[*Segment]bool)
	}
	f.fetching, f.reach = 0, math.MaxInt64
	if n := len(c.playlist.Segments); c.playlist.Live && n > 0 {
		last := c.playlist.Segments[n-1]
		f.reach = last.Start + last.Duration - schedule.LiveReach
	}
	for _, seg := range c.table.order {
		switch seg.State {
		case schedule.Fetching:
			f.fetching++
		case schedule.Requested: // also after the last of those that share the work has gone silent
			if flight, running := seg.From.Flight(); running && c.late(flight, seg, now) {
				c.Abandon(seg, now)
			}
		}
	}
}

// meet notes when another seeder connects with which the work is shared: it is shared anew.
func (f *filling) meet(c *Core, now time.Time) {
	mates := 0
	heard := make(map[Peer]heard, len(f.heard))
	for _, s := range c.peers {
		if !c.fills(s) || !c.mate(s) {
			continue
		}
		h := f.heard[s]
		if a := s.Announced(); a != h.said {
			h.said, h.at = a, now
		}
		heard[s] = h
	}
	f.heard = heard
	for s := range heard {
		if f.works(c, s, now) {
			mates++
		}
	}
	if mates > f.mates {
		f.metAt = now
	}
	f.mates = mates
}

// heard is what a seeder that shares the work announced last, and when.
type heard struct {
	said *Announcement
	at   time.Time
}

// works tells whether a seeder that shares the work can be expected to do its part. One that stops announces nothing. In a live
// stream one that says nothing new for long hangs, or is cut off from the origin.
func (f *filling) works(c *Core, s Peer, now time.Time) bool {
	h := f.heard[s]
	if c.Config.Edge {
		return true // the line is worth the wait
	}
	return h.said.Len() > 0 && (!c.playlist.Live || c.playlist.Ended || now.Sub(h.at) < max(c.playlist.TargetDuration, leastTarget)*fillSilent)
}

// calm tells whether players are not near a segment. To a central seeder, those that are about to play it are near.
func (c *Core) calm(seg *Segment) bool {
	return seg.Start < c.filling.reach && (c.Config.Edge || !c.history.wanted[seg.Sequence])
}

// urgent tells whether a viewer in the history of a live stream, or of a film, plays a segment next: a central seeder brings it as
// soon as it would alone.
func (c *Core) urgent(seg *Segment) bool {
	return !c.Config.Edge && seg.Start < c.filling.reach && slices.Contains(c.history.next, seg.Sequence)
}

// late tells whether a request to another seeder is to be given up.
func (c *Core) late(f schedule.Flight, seg *Segment, now time.Time) bool {
	return schedule.FillLate(f, c.playlist.TargetDuration, c.calm(seg), !c.Config.Edge, now)
}

// failed notes that a request to a seeder came to nothing.
func (f *filling) failed(now time.Time) {
	if now.Sub(f.failedAt) > fillTrouble {
		f.failedAt = now
	}
}

// endFilling ends a pass.
func (c *Core) endFilling() {
	if !maps.Equal(c.filling.before, c.filling.waiting) {
		c.Changed = true
	}
	c.filling.before = nil
}

// obtain gets a segment that a seeder is to hold. It returns false if it waits for another seeder to have it, or the origin
// cannot be asked now.
func (c *Core) obtain(seg *Segment, now time.Time) bool {
	if !c.filling.on {
		c.Fetch(seg, now)
		return true
	}
	if c.Silent() {
		return false // at the edge: it is not clear which event the segment, or the peers, belong to
	}
	if seg.wantedAt.IsZero() {
		seg.wantedAt = now
	}
	sources, peers := c.sources(seg, now)
	if seg.offeredAt.IsZero() && slices.ContainsFunc(sources, func(s schedule.FillSource) bool { return !s.Near && s.Holds == schedule.Loaded }) {
		seg.offeredAt = now
	}
	anew, expect := seg.offeredAt, c.filling.expect
	if c.filling.metAt.After(anew) {
		anew = c.filling.metAt
	}
	calm := c.calm(seg)
	if calm && c.Config.Edge {
		expect = c.joinedAt.Add(calmConnect)
	}
	plan := schedule.Fill(schedule.FillView{
		Now: now, Shared: !c.Config.Edge, Since: seg.wantedAt, Anew: anew, Calm: calm, Urgent: c.urgent(seg), Target: c.playlist.TargetDuration, Tries: seg.tries, Sources: sources,
		Expect: expect, Failed: c.filling.failedAt,
		Origin: c.filling.fetching < c.filling.slots && !now.Before(seg.RetryAt) && !c.origin.pausing(now),
	})
	switch {
	case plan.Source >= 0:
		seg.tries++
		c.Request(peers[plan.Source], seg, now)
		c.Changed = true
		return true
	case plan.Origin:
		c.filling.fetching++
		c.Fetch(seg, now)
		return true
	case !plan.Until.IsZero():
		c.filling.waiting[seg] = true
		if u := &c.filling.until; u.IsZero() || plan.Until.Before(*u) {
			*u = plan.Until
		}
	}
	return false
}

// sources are the seeders that are connected, as far as a segment is concerned. A seeder has one for each
// generation; its place in the order of the site's seeders is that of its id in the first generation.
func (c *Core) sources(seg *Segment, now time.Time) (all []schedule.FillSource, peers []Peer) {
	own, joined := c.driver.Own()
	first := c.Config.Generations[0]
	oldestClaim := OldestClaim(now, c.playlist.TargetDuration)
	calm := c.calm(seg)
	for _, s := range c.peers {
		if !c.fills(s) {
			continue
		}
		_, busy := s.Flight()
		source := schedule.FillSource{
			Near: c.mate(s), Busy: busy, Speed: float64(s.Speed()), Failed: s == seg.NotFrom && !calm || !c.usable(s, now),
			Holds: s.Announced().Holding(c.table.externalID(seg.Sequence, s.Generation()), oldestClaim),
		}
		source.Before = source.Near && s.Generation() == first && joined && c.filling.works(c, s, now) && schedule.FillBefore(string(s.ID()), string(own), seg.ID(first))
		all, peers = append(all, source), append(peers, s)
	}
	return all, peers
}

// fills tells whether a peer is a seeder that can be asked. Other ids that look like those of seeders are not reserved for them
// by trackers. One that has just connected says what it holds in a moment. A central seeder gets nothing from the edge.
func (c *Core) fills(s Peer) bool {
	return strings.HasPrefix(string(s.ID()), identity.SeederPrefix) && s.Announced() != nil &&
		(c.Config.Edge || s.Origin().Shares)
}

// mate tells whether a seeder that can be asked shares the work with this one.
func (c *Core) mate(s Peer) bool {
	o := s.Origin()
	return o.Shares || c.Config.Edge && o.Near
}

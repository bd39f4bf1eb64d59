package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// Request asks a peer for a segment, from the bytes already held on.
func (c *Core) Request(s Peer, seg *Segment, now time.Time) {
	held := seg.Partial
	seg.State, seg.From, seg.Partial = schedule.Requested, s, nil
	c.Changed = c.Changed || c.passesOn(seg)
	c.distrust(seg, s, len(held))
	c.withhold(seg)
	seg.begin(held)
	c.driver.Ask(s, seg, held, now)
}

// Answer is how a request to a peer ended.
type Answer struct {
	Attempt int64  // the transfer that it ends: Segment.Attempt at Driver.Ask
	Data    []byte // all bytes held, those held before included
	Total   int64  // what the peer said that the whole has; -1 if it did not
	Whole   bool   // it succeeded
	Blame   bool   // the peer denied what it had announced, or was silent
}

// Answered takes the end of a request to a peer.
func (c *Core) Answered(s Peer, seg *Segment, a Answer, now time.Time) {
	if seg.State != schedule.Requested || seg.From != s || seg.Attempt != a.Attempt {
		c.driver.Discard(a.Data) // it was given up meanwhile: its name may stand for other media now
		return
	}
	if a.Whole {
		c.Complete(seg, a.Data, false, now)
		return
	}
	if a.Blame {
		c.blame(s, now)
	}
	c.keep(seg, a.Data, a.Total)
	seg.From, seg.NotFrom = nil, s
	c.filling.failed(now)
}

// Abandon ends a transfer that is too slow, so that another source can continue it. A player may be reading the bytes
// that have arrived. Those from the origin are with the driver, which delivers them; see Fetched.
func (c *Core) Abandon(seg *Segment, now time.Time) {
	if seg.State == schedule.Fetching {
		seg.transfer.Stop()
		return
	}
	from := seg.From
	data, total, running := from.Cancel()
	if !running {
		return // it has just ended: its bytes are on their way here, and players may be reading them
	}
	c.keep(seg, data, total)
	seg.NotFrom, seg.From = from, nil
	c.blame(from, now)
	c.filling.failed(now)
}

// giveUp ends the transfer of a segment and drops its bytes.
func (c *Core) giveUp(seg *Segment) {
	switch seg.State {
	case schedule.Fetching:
		seg.transfer.Stop()
	case schedule.Requested:
		data, _, _ := seg.From.Cancel()
		c.driver.Discard(data)
	}
	c.driver.Discard(seg.Partial)
	seg.Partial, seg.State = nil, schedule.Missing
}

// Complete takes the bytes of a whole segment.
func (c *Core) Complete(seg *Segment, data []byte, origin bool, now time.Time) {
	if seg.Held() || c.table.byKey[seg.Key] != seg {
		c.driver.Discard(data)
		return
	}
	if !validLength(len(data), seg.Total, seg.claimed) {
		// A segment of no or the wrong length must never be announced: it would poison the swarm.
		c.driver.Discard(data)
		if seg.From != nil {
			c.blame(seg.From, now)
		}
		c.missing(seg, nil)
		seg.NotFrom = seg.From
		return
	}
	if !c.check(seg, data, origin, now) && !c.verify(seg, data, origin, now) {
		c.take(seg, data, origin, now)
	}
}

// take stores the bytes of a whole segment, which are what they should be as far as that can be known.
func (c *Core) take(seg *Segment, data []byte, origin bool, now time.Time) {
	c.driver.Release(len(data))
	compares := c.compares(seg.From, origin)
	if seg.From != nil && !origin {
		c.praise(seg.From)
		c.filling.failedAt = time.Time{}
	}
	if origin {
		c.origin.succeeded()
	}
	if seg.State == schedule.Fetching {
		seg.transfer.Stop() // a peer delivered first
	}
	seg.used = now
	seg.rank = c.rank(seg, now)
	evicted, ok := c.store.Put(seg.Key, seg.rank, data)
	c.driver.Evicted(evicted)
	seg.Partial, seg.claimed, seg.From, seg.Failures, seg.Problem = nil, -1, nil, 0, Failure{}
	seg.trust()
	seg.Unproven = 0
	seg.wantedAt, seg.offeredAt, seg.tries = time.Time{}, time.Time{}, 0
	c.Changed = true
	c.answer(seg, data)
	if !ok {
		seg.State = schedule.Missing
		seg.noRoom = true // the segments held rank higher
		seg.Total = int64(len(data))
		if c.Config.Seeder { // a viewer asks for room again
			seg.RetryAt = now.Add(time.Hour)
		}
		return
	}
	seg.State = schedule.Held
	seg.Total = int64(len(data))
	c.driver.Stored(seg, data)
	if compares {
		c.driver.Compare(seg, data)
	}
}

// keep takes a segment back, with the bytes of a transfer that failed and the size that its source gave for the whole.
// Bytes from sources that contradict each other are not joined.
func (c *Core) keep(seg *Segment, partial []byte, total int64) {
	switch {
	case total < 0:
	case seg.claimed >= 0 && seg.claimed != total:
		c.driver.Discard(partial)
		partial = nil
	default:
		seg.claimed = total
	}
	c.missing(seg, partial)
}

// missing makes a segment one that has to be fetched or requested.
func (c *Core) missing(seg *Segment, partial []byte) {
	if len(partial) == 0 {
		seg.claimed = -1
		seg.trust()
	}
	seg.State, seg.Partial = schedule.Missing, partial
	seg.Readers.Keep(partial)
	c.Changed = true
}

// Evicted takes that segments left the store, because of another rendition's too.
func (c *Core) Evicted(keys []store.Key) {
	for _, key := range keys {
		if seg, ok := c.table.byKey[key]; ok && seg.Held() {
			c.missing(seg, nil)
		}
	}
}

package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// players are those that watch a rendition on demand.
type players struct {
	positions map[Position]struct{}
	waiting   map[*Segment]struct{} // segments that players may wait for
}

func newPlayers() players {
	return players{positions: make(map[Position]struct{}), waiting: make(map[*Segment]struct{})}
}

// requests is the number of open requests.
func (p *players) requests() int {
	n := 0
	for seg := range p.waiting {
		n += seg.Readers.Len()
	}
	return n
}

// newRequestRetry is the least time between two requests to the origin for a
// segment that it failed to deliver, when a player asks anew.
const newRequestRetry = 250 * time.Millisecond

// Watches takes that a player is at a position, which it moves.
func (c *Core) Watches(p Position) { c.players.positions[p] = struct{}{} }

// Unwatches takes that a player has gone.
func (c *Core) Unwatches(p Position) { delete(c.players.positions, p) }

// Used takes that a player got a segment that is held.
func (c *Core) Used(seg *Segment, now time.Time) { seg.used = now }

// Gone takes that a segment that should be held is not in the store.
func (c *Core) Gone(seg *Segment) { c.missing(seg, nil) }

// Wanted takes that a player is going to read a segment that is not held.
func (c *Core) Wanted(seg *Segment, now time.Time) {
	if seg.Readers.Len() == 0 {
		// A player that asks anew causes a new request to the origin, as it would without the engine.
		seg.Failures, seg.Problem = 0, Failure{}
		if latest := now.Add(newRequestRetry); seg.RetryAt.After(latest) {
			seg.RetryAt = latest
		}
	}
	c.players.waiting[seg] = struct{}{}
}

// answer ends all requests for a segment with its bytes.
func (c *Core) answer(seg *Segment, data []byte) {
	seg.Readers.Answer(data, nil)
	delete(c.players.waiting, seg)
}

// gone ends all requests for a segment that has left the playlist.
func (c *Core) gone(seg *Segment) {
	seg.Readers.Gone()
	delete(c.players.waiting, seg)
}

// failRequests fails the requests that cannot be answered: the origin has said twice that it does not have the segment,
// or no byte has come within the wait limit.
func (c *Core) failRequests(now time.Time) {
	for seg := range c.players.waiting {
		switch {
		case seg.Readers.Len() == 0: // the players have gone
		case seg.Failures >= 2 && seg.Problem.Permanent:
			seg.Readers.Answer(nil, seg.Problem.Err)
		case seg.Readers.Idle(now) <= c.Config.WaitLimit:
			continue
		case seg.Problem.Err != nil:
			seg.Readers.Answer(nil, seg.Problem.Err)
		default:
			seg.Readers.TooSlow()
		}
		delete(c.players.waiting, seg)
	}
}

// A player that asks for nothing for this long, or three target durations, has
// paused or gone: nothing is fetched ahead of it until it asks again.
const playerIdle = 10 * time.Second

// needs says what the players need of the segments that are to be scheduled.
func (c *Core) needs(segs []*Segment, scheduled []schedule.Segment, now time.Time) []schedule.Need {
	d := schedule.DemandView{
		Now: now, Segments: scheduled, Limits: c.limits(), Patience: c.Config.Patience,
	}
	place := make(map[int64]int, len(segs))
	for i, seg := range segs {
		place[seg.Sequence] = i
		seg.Readers.Waits(func(since, dry time.Time) {
			d.Waits = append(d.Waits, schedule.Wait{Segment: i, Since: since, Dry: dry})
		})
	}
	idle := max(playerIdle, 3*c.playlist.TargetDuration)
	for p := range c.players.positions {
		if i, ok := place[p.Sequence()]; ok && p.Active(now, idle) {
			d.Heads = append(d.Heads, schedule.Head{Front: i, Asked: p.Asked(), Dry: p.Dry()})
		}
	}
	needs := schedule.Demand(d)
	for _, seg := range segs {
		seg.due = time.Time{}
	}
	for _, n := range needs {
		segs[n.Segment].due = now.Add(n.Lead)
	}
	return needs
}

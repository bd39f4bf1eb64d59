package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// players are those that watch a rendition on demand. The rendition's owner has them.
type players struct {
	positions map[*ondemand.Position]struct{}
	waiting   map[*ondemand.Requests]*segment // segments with open requests
}

func newPlayers() players {
	return players{
		positions: make(map[*ondemand.Position]struct{}),
		waiting:   make(map[*ondemand.Requests]*segment),
	}
}

// requests is the number of open requests.
func (p *players) requests() int {
	n := 0
	for q := range p.waiting {
		n += q.Len()
	}
	return n
}

// forget ends a request whose reader has read all, or was closed.
func (p *players) forget(request *ondemand.Request) {
	if q := ondemand.Remove(request); q != nil && q.Len() == 0 {
		delete(p.waiting, q)
	}
}

// newRequestRetry is the least time between two requests to the origin for a
// segment that it failed to deliver, when a player asks anew.
const newRequestRetry = 250 * time.Millisecond

// open answers a player's request for a segment.
func (r *Rendition) open(p *ondemand.Position, request *ondemand.Request, key store.Key, now time.Time) (*ondemand.Feed, error) {
	r.settle(now) // the player may have read a playlist that is not acted on yet
	seg, ok := r.segments.byKey[key]
	if !ok {
		return nil, ondemand.ErrUnknownSegment
	}
	r.players.positions[p] = struct{}{}
	p.Move(seg.Sequence, seg.Duration, now)
	if seg.Gap {
		return nil, ondemand.ErrGap
	}
	if seg.held() {
		if data, ok := r.shared.Store.Get(key); ok {
			seg.used = now
			return ondemand.HeldFeed(data), nil
		}
		r.missing(seg, nil) // evicted a moment ago
	}
	f := seg.requests.Feed()
	if f == nil {
		f = ondemand.NewFeed(seg.attempt, seg.partial, seg.total, now)
		seg.requests.SetFeed(f)
	}
	if seg.requests.Len() == 0 {
		// A player that asks anew causes a new request to the origin, as it would without the engine.
		seg.failures, seg.problem = 0, nil
		if latest := now.Add(newRequestRetry); seg.retryAt.After(latest) {
			seg.retryAt = latest
		}
	}
	request.Since, request.Dry = now, p.Dry()
	seg.requests.Add(request)
	r.players.waiting[&seg.requests] = seg
	return f, nil
}

// answer ends all requests for a segment with its bytes, or with err if that is not nil.
func (r *Rendition) answer(seg *segment, data []byte, err error) {
	seg.requests.Answer(data, err)
	delete(r.players.waiting, &seg.requests)
}

// failRequests fails the requests that cannot be answered: the origin has said twice that it does not have the segment,
// or no byte has come within the wait limit.
func (r *Rendition) failRequests(now time.Time) {
	for q, seg := range r.players.waiting {
		f := q.Feed()
		switch {
		case seg.failures >= 2 && fetch.Permanent(seg.problem):
			r.answer(seg, nil, seg.problem)
		case f != nil && f.Idle(now) > r.shared.Settings.WaitLimit:
			err := seg.problem
			if err == nil {
				err = ondemand.ErrTooSlow
			}
			r.answer(seg, nil, err)
		}
	}
}

// A player that asks for nothing for this long, or three target durations, has
// paused or gone: nothing is fetched ahead of it until it asks again.
const playerIdle = 10 * time.Second

// needs says what the players need of the segments that are to be scheduled.
func (r *Rendition) needs(segs []*segment, scheduled []schedule.Segment, now time.Time) []schedule.Need {
	d := schedule.DemandView{
		Now: now, Segments: scheduled, Limits: r.limits(), Patience: r.shared.Settings.Patience,
	}
	place := make(map[int64]int, len(segs))
	for i, seg := range segs {
		place[seg.Sequence] = i
		for _, q := range seg.requests.All() {
			d.Waits = append(d.Waits, schedule.Wait{Segment: i, Since: q.Since, Dry: q.Dry})
		}
	}
	idle := max(playerIdle, 3*r.playlist.TargetDuration)
	for p := range r.players.positions {
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

// dropAll fails all readers and drops what was held: a rendition that sleeps
// has no owner who could drop it later.
func (r *Rendition) dropAll() {
	for _, seg := range r.segments.order {
		r.answer(seg, nil, ondemand.ErrStopped)
		r.shared.Store.Remove(seg.key)
	}
}

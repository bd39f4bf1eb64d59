package rendition

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// A URL shows one event after the other. They may use the same names and numbers for other media, so nothing that is
// held of one is ever passed on as a part of another: not from the store, and not to or from peers of the old swarms.

// event is what a rendition knows of the begin of events. The rendition's owner has it, except for the atomic ones.
type event struct {
	suspected bool // a new one may have begun: nothing is announced
	apart     bool // a new one has begun, and its swarms are not joined yet: peers are those of the old one
	unseen    bool // a new one has begun, others say, and the playlist does not show it yet
	// until is when the playlist is taken as it is if it does not show that event by then, in Unix nanoseconds; 0: none
	// is awaited.
	until   atomic.Int64
	retired atomic.Bool // nothing is to stay in the store
}

// apartPause is how long a viewer waits for the swarms of a new event before it asks the origin for its first segment.
const apartPause = 1500 * time.Millisecond

// awaited is until when a new event is awaited, for the follower.
func (r *Rendition) awaited() time.Time {
	if until := r.event.until.Load(); until != 0 {
		return time.Unix(0, until)
	}
	return time.Time{}
}

// Expect says that a new event has begun, which the playlist may not show yet. What is held of the old one is dropped,
// and nothing is fetched until the playlist shows another state, or until within has passed.
func (r *Rendition) Expect(within time.Duration) {
	r.event.until.Store(time.Now().Add(within).UnixNano())
	r.mail.Post(func() {
		if r.event.until.Load() == 0 {
			return // it has been seen meanwhile
		}
		r.forget(time.Now())
		r.event.unseen, r.playlist = true, nil
	})
	r.refusals.ask(false) // load at once
}

// begin drops what belongs to the event before: a stream that begins anew may use the same numbers, and even the same
// URLs, for other media.
func (r *Rendition) begin(now time.Time) {
	r.log.Info("a new event has begun, dropping what was held")
	r.forget(now)
	r.event.suspected, r.event.unseen = false, false
	if r.shared.NewEvent == nil || !r.shared.NewEvent(r) {
		return
	}
	// The engine leaves the swarms now. Peers that are still connected have, and want, the old event's segments.
	r.event.apart = true
	r.swarms.term.Add(1)
	r.sessions, r.named = nil, nil
	r.announcer.forget()
	if !r.shared.Settings.Seeder {
		r.joinedAt = now.Add(apartPause)
	}
}

// joined begins to share with the swarms that were joined.
func (r *Rendition) joined(now time.Time) {
	r.event.apart = false
	r.joinedAt = now
	r.census = census{}
	clear(r.announcer.last)
	r.announcer.dirty = true
}

// forget drops all segments.
func (r *Rendition) forget(now time.Time) {
	for _, seg := range r.segments.order {
		r.drop(seg)
	}
	r.segments.order = nil
	clear(r.segments.bySeq)
	clear(r.segments.byKey)
	r.segments.count(0)
	for _, g := range r.shared.Settings.Generations {
		r.index.SetHeld(g, map[int64]store.Key{})
	}
	if r.playhead != nil {
		r.playhead.wait(now)
	}
}

// suspect notes whether a new event may have begun.
func (r *Rendition) suspect(is bool) {
	if r.event.suspected == is {
		return
	}
	r.event.suspected = is
	r.announcer.dirty = true
	if is {
		r.originLog.Warn("a new event may have begun; nothing is announced until that is clear")
	}
}

// silent tells whether peers must not get what is held.
func (r *Rendition) silent() bool { return r.event.suspected || r.event.apart }

// Bounds of how often a playlist, and then the manifest, are loaded because their segments are refused.
const (
	refusalsInARow = 3
	firstReread    = 5 * time.Second
	lastReread     = time.Minute
)

// refusals counts the segments that the origin refuses in a row: their URLs may have expired. The rendition's owner has
// it; the follower receives from asked.
type refusals struct {
	asked chan bool
	row   int
	times int       // since one was delivered, that the playlist was asked for
	next  time.Time // when it may be asked for again
}

func newRefusals() refusals { return refusals{asked: make(chan bool, 1)} }

// ask has the playlist loaded at once, and the manifest before it if that is said.
func (q *refusals) ask(manifestToo bool) {
	select {
	case q.asked <- manifestToo:
	default: // it is about to be
	}
}

// failed takes a failure of a segment; first says that it is the first of that segment. A segment that the origin does
// not have counts once: it may be missing for good.
func (q *refusals) failed(err error, first bool, now time.Time) {
	if !manifest.Refused(err) || (!first && missing(err)) {
		return
	}
	if q.row++; q.row < refusalsInARow || now.Before(q.next) {
		return
	}
	q.row = 0
	q.ask(q.times > 0)
	q.next = now.Add(backoff.Doubled(firstReread, lastReread, q.times))
	q.times++
}

func (q *refusals) succeeded() { q.row, q.times = 0, 0 }

// renamed has a segment that was refused asked for at once under its new URL.
func (r *Rendition) renamed(seg *segment, m manifest.Segment) {
	if seg.URL == m.URL || seg.state != schedule.Missing || !manifest.Refused(seg.problem) {
		return
	}
	seg.failures, seg.problem, seg.retryAt = 0, nil, time.Time{}
	r.origin.succeeded()
}

// endsAt tells the clock of a viewer where a live event that has ended ends: to have no more media there is no stall.
func (r *Rendition) endsAt(p *manifest.Playlist) {
	if r.playhead == nil || !r.playhead.based || !p.Ended || len(p.Segments) == 0 {
		return
	}
	last := p.Segments[len(p.Segments)-1]
	r.playhead.clock.SetEnd(last.Start + last.Duration - r.playhead.base)
}

// Retire ends the rendition for good: nothing of it stays in the store.
func (r *Rendition) Retire() {
	r.event.retired.Store(true)
	r.Leave()
}

// missing tells whether the origin says that it does not have something, rather than that one may not have it.
func missing(err error) bool {
	var e *manifest.Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

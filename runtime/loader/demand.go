package loader

import (
	"errors"
	"net/http"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// head is a player's place in a rendition; the rendition's owner has it.
type head struct {
	known    bool
	sequence int64         // asked for last
	duration time.Duration // of that segment
	at       time.Time     // when that was
	asked    time.Duration // media asked for in a row
	dry      time.Time     // when it runs out of what it has been given, at the earliest
	active   time.Time     // when it last asked for anything
}

// inARow is how many segments a player may skip, or go back, without its having
// moved to another place: gaps are not asked for, and some ask for two at a time.
const inARow = 3

// moved notes that the player asks for a segment. By asking for the next one it
// shows that it has the one before, which it cannot have begun to play before it
// asked for that.
func (h *head) moved(seg *segment, now time.Time) {
	h.active = now
	step := seg.Sequence - h.sequence
	switch {
	case h.known && step == 0, h.known && step < 0 && step > -inARow:
		return
	case !h.known || step < 0 || step > inARow:
		h.dry, h.asked = now, 0
	default:
		if h.dry.Before(h.at) {
			h.dry = h.at
		}
		h.dry = h.dry.Add(h.duration)
	}
	h.known, h.sequence, h.duration, h.at = true, seg.Sequence, seg.Duration, now
	h.asked += seg.Duration
}

// wait is a player's request that is not answered in full yet.
type wait struct {
	segment *segment // nil if it is not waited for (any more)
	since   time.Time
	dry     time.Time
}

// askAgain is the least time between two requests to the origin for a segment
// that it failed to deliver.
const askAgain = 250 * time.Millisecond

// open answers a player's request for a segment.
func (r *rendition) open(h *head, w *wait, key store.Key, now time.Time) (*feed, error) {
	seg, ok := r.byKey[key]
	if !ok {
		return nil, ErrUnknownSegment
	}
	r.heads[h] = struct{}{}
	h.moved(seg, now)
	if seg.Gap {
		return nil, ErrGap
	}
	if seg.held() {
		if data, ok := r.e.store.Get(key); ok {
			r.e.store.Rank(key, now.UnixMilli())
			return heldFeed(data), nil
		}
		r.missing(seg, nil) // pushed out a moment ago
	}
	f := seg.feed.Load()
	if f == nil {
		f = newFeed(seg.attempt, seg.partial, seg.total, now)
		seg.feed.Store(f)
	}
	if len(seg.waits) == 0 {
		// Whoever asks anew has the origin asked anew, as without us.
		seg.failures, seg.problem, seg.noRoom = 0, nil, false
		if soon := now.Add(askAgain); seg.retryAt.After(soon) {
			seg.retryAt = soon
		}
	}
	w.segment, w.since, w.dry = seg, now, h.dry
	seg.waits = append(seg.waits, w)
	r.waiting[seg] = struct{}{}
	return f, nil
}

// forget ends a wait: its reader has read all, or has gone.
func (r *rendition) forget(w *wait) {
	seg := w.segment
	if seg == nil {
		return
	}
	w.segment = nil
	for i, other := range seg.waits {
		if other == w {
			seg.waits = append(seg.waits[:i], seg.waits[i+1:]...)
			break
		}
	}
	if len(seg.waits) == 0 {
		delete(r.waiting, seg)
	}
}

// answer ends all waits for a segment with its bytes, or with why they do not come.
func (r *rendition) answer(seg *segment, data []byte, err error) {
	if f := seg.feed.Load(); f != nil {
		if err != nil {
			f.fail(err)
		} else {
			f.finish(data)
		}
		seg.feed.Store(nil)
	}
	for _, w := range seg.waits {
		w.segment = nil
	}
	seg.waits = nil
	delete(r.waiting, seg)
}

// loseHope fails the requests that nobody will answer: the origin has said twice
// that it has no such thing, or no byte has come for too long.
func (r *rendition) loseHope(now time.Time) {
	for seg := range r.waiting {
		f := seg.feed.Load()
		switch {
		case seg.failures >= 2 && final(seg.problem):
			r.answer(seg, nil, seg.problem)
		case f != nil && f.idle(now) > r.e.cfg.WaitLimit:
			err := seg.problem
			if err == nil {
				err = ErrTooSlow
			}
			r.answer(seg, nil, err)
		}
	}
}

// final tells whether trying again is of no use.
func final(err error) bool {
	var e *manifest.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Reason {
	case manifest.ReasonStatus:
		return e.Status/100 == 4 && e.Status != http.StatusRequestTimeout &&
			e.Status != http.StatusTooEarly && e.Status != http.StatusTooManyRequests
	case manifest.ReasonScheme, manifest.ReasonRedirect, manifest.ReasonTooLarge, manifest.ReasonEncoded, manifest.ReasonNoLength:
		return true // and not what concerns ranges: the next request is for the whole
	}
	return false
}

// A player that asks for nothing for this long, or three target durations, has
// paused or gone: nothing is collected ahead of it until it asks again.
const awayAfter = 10 * time.Second

// nearlyFull is how full the store may be before only what comes next is
// collected, in percent.
const nearlyFull = 90

// needs says what the players need of the segments that are to be scheduled.
func (r *rendition) needs(segs []*segment, scheduled []schedule.Segment, now time.Time) []schedule.Need {
	d := schedule.DemandView{
		Now: now, Segments: scheduled, Limits: r.e.cfg.Limits, Patience: r.e.cfg.Patience,
	}
	if st := r.e.store.Stats(); st.Bytes >= st.Limit/100*nearlyFull {
		d.Full = true
	}
	place := make(map[int64]int, len(segs))
	for i, seg := range segs {
		place[seg.Sequence] = i
		for _, w := range seg.waits {
			d.Waits = append(d.Waits, schedule.Wait{Segment: i, Since: w.since, Dry: w.dry})
		}
	}
	away := max(awayAfter, 3*r.playlist.TargetDuration)
	for h := range r.heads {
		if i, ok := place[h.sequence]; ok && h.known && now.Sub(h.active) < away {
			d.Heads = append(d.Heads, schedule.Head{Front: i, Asked: h.asked, Dry: h.dry})
		}
	}
	needs := schedule.Demand(d)
	wanted := needs[:0]
	for _, n := range needs {
		if seg := segs[n.Segment]; !seg.noRoom || len(seg.waits) > 0 {
			wanted = append(wanted, n)
		}
	}
	return wanted
}

// lately is how long a connection shows that peers can be reached.
const lately = 5 * time.Minute

// hopeful is how long after it was woken a rendition hopes for its first peer. A
// connection elsewhere shows that there are peers and that they can be reached;
// then more patience is no risk, but for renditions that have no peers.
func (r *rendition) hopeful(now time.Time) time.Duration {
	reached := r.e.Peers() > 0 || now.Sub(time.Unix(0, r.e.lastPeer.Load())) < lately
	if r.e.demand == nil || r.lonely || !reached {
		return r.e.cfg.StartupWait
	}
	for _, s := range r.sessions {
		if s.announced.Load() != nil {
			return r.e.cfg.StartupWait
		}
	}
	return max(r.e.cfg.StartupWait, r.e.cfg.Patience)
}

// endDemand fails all readers and drops what was held: a rendition that sleeps
// has no owner who could let go of it.
func (r *rendition) endDemand() {
	for _, seg := range r.segments {
		r.answer(seg, nil, ErrStopped)
		r.e.store.Remove(seg.key)
	}
}

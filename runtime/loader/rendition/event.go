package rendition

import (
	"sync/atomic"
	"time"
)

// event is what a rendition's follower and the engine know of the begin of events; the rest is in the core.
type event struct {
	// until is when the playlist is taken as it is if it does not show that event by then, in Unix nanoseconds; 0: none
	// is awaited.
	until   atomic.Int64
	retired atomic.Bool // nothing is to stay in the store
}

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
		r.core.Expect(time.Now())
	})
	r.reload(false)
}

// reload has the playlist loaded at once, and the manifest before it if that is said.
func (r *Rendition) reload(manifestToo bool) {
	select {
	case r.reread <- manifestToo:
	default: // it is about to be
	}
}

// joined begins to share with the swarms that were joined.
func (r *Rendition) joined(now time.Time) {
	r.core.Joined(now)
	clear(r.announcer.last)
}

// Retire ends the rendition for good: nothing of it stays in the store.
func (r *Rendition) Retire() {
	r.event.retired.Store(true)
	r.Leave()
}

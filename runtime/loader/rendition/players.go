package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// open answers a player's request for a segment.
func (r *Rendition) open(p *ondemand.Position, request *ondemand.Request, key store.Key, now time.Time) (*ondemand.Feed, error) {
	r.core.Settle(now) // the player may have read a playlist that is not acted on yet
	seg := r.core.ByKey(key)
	if seg == nil {
		return nil, ondemand.ErrUnknownSegment
	}
	r.core.Watches(p)
	p.Move(seg.Sequence, seg.Duration, now)
	if seg.Gap {
		return nil, ondemand.ErrGap
	}
	if seg.Held() {
		if data, ok := r.shared.Store.Get(key); ok {
			r.core.Used(seg, now)
			return ondemand.HeldFeed(data), nil
		}
		r.core.Gone(seg) // evicted a moment ago
	}
	q := readersOf(seg)
	f := q.Feed()
	if f == nil {
		f = ondemand.NewFeed(seg.Attempt, seg.Partial, seg.Total, now)
		q.SetFeed(f)
	}
	r.core.Wanted(seg, now)
	request.Since, request.Dry = now, p.Dry()
	q.Add(request)
	return f, nil
}

// dropAll fails all readers and drops what was held: a rendition that sleeps
// has no owner who could drop it later.
func (r *Rendition) dropAll() {
	for _, seg := range r.core.Segments() {
		seg.Readers.Answer(nil, ondemand.ErrStopped)
		r.shared.Store.Remove(seg.Key)
	}
}

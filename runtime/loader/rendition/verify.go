package rendition

import (
	"context"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// examine begins an examination of a whole segment. Until its result is there the segment counts as being fetched, so that
// it is neither asked for again nor stored. The caller calls stop when the examination has ended; attempt names it.
func (r *Rendition) examine(seg *segment, data []byte) (ctx context.Context, stop context.CancelFunc, attempt int64) {
	ctx, stop = context.WithCancel(r.ctx)
	if seg.state == schedule.Fetching {
		seg.stop() // a peer delivered first, or the transfer has ended
	}
	now := time.Now()
	seg.attempt++ // what a transfer that has just ended reports concerns this one no more
	seg.state, seg.stop, seg.since, seg.from = schedule.Fetching, stop, now, nil
	seg.arriving.Store(&arrival{at: now, received: int64(len(data))})
	return ctx, stop, seg.attempt
}

// withhold shows players nothing of a segment before it is verified.
func (r *Rendition) withhold(seg *segment) {
	if r.shared.Settings.Verify {
		seg.requests.Withhold(0)
	}
}

// verify begins to compare a whole segment with the origin's bytes; false if that is not wanted.
func (r *Rendition) verify(seg *segment, data []byte, source traffic.Source) bool {
	if !r.shared.Settings.Verify {
		return false
	}
	from, m := seg.from, seg.Segment
	ctx, stop, attempt := r.examine(seg, data)
	r.shared.Work.Go(func() {
		defer stop()
		same, err := r.shared.Verifier.Verify(ctx, m, data)
		r.mail.Post(func() { r.verified(seg, attempt, from, data, source, same, err) })
	})
	return true
}

// verified takes the result of a comparison. What the origin does not deliver now cannot be compared, and is used.
func (r *Rendition) verified(seg *segment, attempt int64, from *session.Session, data []byte, source traffic.Source, same bool, err error) {
	if seg.state != schedule.Fetching || seg.attempt != attempt || r.segments.byKey[seg.key] != seg {
		r.discard(data)
		return
	}
	now := time.Now()
	switch {
	case err != nil:
		r.originLog.Warn("verifying segment failed: the origin does not deliver it", "sequence", seg.Sequence, "error", err)
	case !same:
		r.log.Error("segment differs from the origin's, fetching it again", "sequence", seg.Sequence, "source", source)
		r.reject(seg, from, data, source, now)
		return
	}
	seg.from = from
	r.take(seg, data, source, now)
}

// reject drops a segment that is not the origin's.
func (r *Rendition) reject(seg *segment, from *session.Session, data []byte, source traffic.Source, now time.Time) {
	r.discard(data)
	seg.stop()
	seg.claimed, seg.notFrom = -1, from
	seg.trust()
	r.missing(seg, nil)
	if from != nil {
		from.RecordFailure(now)
	}
	if source == traffic.FromHTTP {
		r.failed(seg, now) // it gives other bytes each time: it is not asked again at once
	}
}

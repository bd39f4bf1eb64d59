package loader

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
)

// fetch asks the origin for a segment, from the bytes already held on.
func (r *rendition) fetch(seg *segment, now time.Time) {
	if !r.e.transit.Spare() {
		seg.retryAt = now.Add(noTransitPause)
		return
	}
	held := seg.partial
	ctx, stop := context.WithCancel(r.ctx)
	seg.state, seg.stop, seg.since, seg.partial = schedule.Fetching, stop, now, nil
	r.dirty = true
	r.e.counters.OriginRequests.Add(1)
	m, known, attempt := seg.Segment, seg.total, seg.begin(held)
	seg.arriving.Store(&arrival{})
	progress := func(data []byte, total int64) {
		at := time.Now()
		seg.arriving.Store(&arrival{at: at, received: int64(len(data) - len(held)), remaining: remaining(total, len(data))})
		seg.publish(attempt, data, total, at)
	}
	r.e.work.Go(func() {
		defer stop()
		data, total, err := r.download(ctx, m, held, known, progress)
		r.mail.Post(func() { r.fetched(seg, attempt, data, total, err) })
	})
}

// download reads a segment's bytes from the origin behind those already held and
// says after each read what there is. On an error it returns what it has, or
// nothing if that cannot be continued.
func (r *rendition) download(ctx context.Context, m manifest.Segment, held []byte, known int64, progress func([]byte, int64)) ([]byte, int64, error) {
	body, total, err := r.e.cfg.Source.ResumeSegment(ctx, m, int64(len(held)), known)
	if err != nil {
		if passing(err) {
			return held, -1, err
		}
		r.discard(held)
		return nil, -1, err
	}
	defer func() { _ = body.Close() }() // read to its end or given up: nothing to learn from closing
	data := held
	if missing := total - int64(len(held)); missing > 0 {
		data = slices.Grow(held, int(min(missing, eagerOrigin))+1) // one more, so that the end is seen without growing
	}
	progress(data, total)
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, r.more(int64(len(data)), total))
		}
		n, err := body.Read(data[len(data):cap(data)])
		r.e.counters.Received[traffic.FromHTTP].Add(int64(n))
		if !r.transit.Reserve(n) {
			r.e.counters.Discarded.Add(int64(n))
			r.discard(data)
			return nil, -1, transit.ErrFull
		}
		data = data[:len(data)+n]
		if n > 0 {
			progress(data, total)
		}
		if errors.Is(err, io.EOF) {
			return data, total, nil
		}
		if err != nil {
			return data, total, err
		}
	}
}

// more is by how much the room for a segment grows: it doubles, so that little is copied, but goes no further than to
// its end.
func (r *rendition) more(have, total int64) int {
	if total < 0 {
		total = r.e.cfg.MaxSegmentBytes
	}
	return int(max(64<<10, min(have, total-have)) + 1)
}

// eagerOrigin is the same as eagerBytes for what an origin claims: most segments need no more.
const eagerOrigin = 2 << 20

// passing tells whether an error says nothing about the bytes held: the same
// request may work in a moment.
func passing(err error) bool {
	var e *manifest.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Reason {
	case manifest.ReasonUnreachable, manifest.ReasonTimeout, manifest.ReasonStalled, manifest.ReasonCanceled:
		return true
	case manifest.ReasonStatus:
		return !final(err)
	}
	return false
}

func (r *rendition) fetched(seg *segment, attempt int64, data []byte, total int64, err error) {
	if seg.state != schedule.Fetching || seg.attempt != attempt {
		r.discard(data)
		return
	}
	if err == nil {
		if total >= 0 {
			seg.total = total
		}
		r.completed(seg, data, traffic.FromHTTP)
		return
	}
	if errors.Is(err, context.Canceled) || manifest.ReasonOf(err) == manifest.ReasonCanceled {
		r.keep(seg, data, total) // abandoned, and its bytes are not
		r.failed(seg, time.Now())
		return
	}
	r.e.counters.SegmentFailures.Add(1)
	seg.problem = err
	if seg.failures == 0 && r.ctx.Err() == nil {
		r.originLog.Warn("fetching segment failed, trying again", "sequence", seg.Sequence, "error", err)
	}
	if manifest.ReasonOf(err) == manifest.ReasonTooLarge {
		r.discard(data) // nothing can be made of it
		data = nil
	}
	r.keep(seg, data, total)
	r.failed(seg, time.Now())
}

// verify compares a completed segment with the origin's own bytes, outside of
// all counters but its own.
func (r *rendition) verify(m manifest.Segment, data []byte, source traffic.Source) {
	if r.e.checking.Add(1) > maxChecks {
		r.e.checking.Add(-1)
		return
	}
	r.e.work.Go(func() {
		defer r.e.checking.Add(-1)
		select {
		case r.e.checks <- struct{}{}:
			defer func() { <-r.e.checks }()
		case <-r.ctx.Done():
			return
		}
		body, _, err := r.e.cfg.Source.FetchSegment(r.ctx, m, 0)
		if err != nil {
			r.originLog.Warn("verifying segment failed: origin does not deliver it", "sequence", m.Sequence, "error", err)
			return
		}
		defer func() { _ = body.Close() }() // read to its end: nothing to learn from closing
		want := sha256.New()
		if _, err := io.Copy(want, body); err != nil {
			r.originLog.Warn("verifying segment failed: origin does not deliver it", "sequence", m.Sequence, "error", err)
			return
		}
		r.e.counters.Verified.Add(1)
		if got := sha256.Sum256(data); !bytes.Equal(want.Sum(nil), got[:]) {
			r.e.counters.DigestErrors.Add(1)
			r.log.Error("segment differs from the origin's", "sequence", m.Sequence, "source", source)
		}
	})
}

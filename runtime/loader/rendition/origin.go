package rendition

import (
	"context"
	"errors"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Bounds on how an origin is asked that fails for one segment after the other: a seeder would otherwise ask for all
// segments of a long playlist as fast as the origin refuses them.
const (
	failuresInARow = 8
	firstPause     = 250 * time.Millisecond
	longestPause   = 5 * time.Second
)

// originHealth counts how often the origin failed in a row. The rendition's owner has it.
type originHealth struct {
	failures int           // since the last success
	failedAt time.Time     // the last of them
	heldOff  time.Time     // the origin wants no request before
	usual    time.Duration // that it takes for a segment: a running mean, 0 before the first
}

// newestWeight is what the newest transfer counts in the mean, in percent.
const newestWeight = 30

// took learns how long a whole segment took.
func (o *originHealth) took(d time.Duration) {
	if o.usual == 0 {
		o.usual = d
		return
	}
	o.usual += (d - o.usual) * newestWeight / 100
}

func (o *originHealth) failed(now time.Time) {
	o.failures++
	o.failedAt = now
}

func (o *originHealth) succeeded() { o.failures = 0 }

// pausing tells whether a seeder must not ask the origin at now.
func (o *originHealth) pausing(now time.Time) bool {
	if now.Before(o.heldOff) {
		return true
	}
	if o.failures < failuresInARow {
		return false
	}
	return now.Before(o.failedAt.Add(backoff.Doubled(firstPause, longestPause, o.failures-failuresInARow)))
}

// fetch asks the origin for a segment, from the bytes already held on.
func (r *Rendition) fetch(seg *segment, now time.Time) {
	switch {
	case now.Before(r.origin.heldOff):
		seg.retryAt = r.origin.heldOff
		return
	case !r.shared.Transit.Spare(), r.event.suspected && r.shared.Settings.Seeder: // the URLs may name other media now
		seg.retryAt = now.Add(firstPause)
		return
	}
	held := seg.partial
	r.withhold(seg)
	ctx, stop := context.WithCancel(r.ctx)
	seg.state, seg.stop, seg.since, seg.partial = schedule.Fetching, stop, now, nil
	r.announcer.dirty = true
	r.shared.Counters.OriginRequests.Add(1)
	m, known, attempt := seg.Segment, seg.total, seg.begin(held)
	seg.arriving.Store(&arrival{})
	progress := func(data []byte, total int64) {
		at := time.Now()
		seg.arriving.Store(&arrival{at: at, received: int64(len(data) - len(held)), remaining: remaining(total, len(data))})
		seg.requests.Publish(attempt, data, total, at)
	}
	r.shared.Work.Go(func() {
		defer stop()
		data, total, err := r.fetcher.Read(ctx, m, held, known, progress)
		r.mail.Post(func() { r.fetched(seg, attempt, data, total, err) })
	})
}

// fetched takes the end of a transfer from the origin.
func (r *Rendition) fetched(seg *segment, attempt int64, data []byte, total int64, err error) {
	if seg.state != schedule.Fetching || seg.attempt != attempt {
		r.discard(data)
		return
	}
	if err == nil {
		r.refusals.succeeded()
		r.origin.took(time.Since(seg.since))
		if total >= 0 {
			seg.total = total
		}
		r.completed(seg, data, traffic.FromHTTP)
		return
	}
	if errors.Is(err, context.Canceled) || manifest.ReasonOf(err) == manifest.ReasonCanceled {
		r.keep(seg, data, total) // the transfer was abandoned, its bytes are not
		r.failed(seg, time.Now())
		return
	}
	r.shared.Counters.SegmentFailures.Add(1)
	seg.problem = err
	r.refusals.failed(err, seg.failures == 0, time.Now())
	if seg.failures == 0 && r.ctx.Err() == nil {
		r.originLog.Warn("fetching segment failed, trying again", "sequence", seg.Sequence, "error", err)
	}
	if manifest.ReasonOf(err) == manifest.ReasonTooLarge {
		r.discard(data) // it cannot be continued
		data = nil
	}
	r.keep(seg, data, total)
	r.failed(seg, time.Now())
	r.obey(seg, err, time.Now())
}

// obey asks the origin for no segment while it wants no requests.
func (r *Rendition) obey(seg *segment, err error, now time.Time) {
	wait := manifest.RetryAfter(err)
	if wait <= 0 {
		return
	}
	until := now.Add(wait)
	if until.After(seg.retryAt) {
		seg.retryAt = until
	}
	if until.After(r.origin.heldOff) {
		r.origin.heldOff = until
	}
}

// failed notes that the origin did not deliver and when to ask again.
func (r *Rendition) failed(seg *segment, now time.Time) {
	seg.failures++
	r.origin.failed(now)
	seg.retryAt = now.Add(retryDelay(seg.failures, hashFraction(r.shared.Seed, seg.Sequence+int64(seg.failures))))
}

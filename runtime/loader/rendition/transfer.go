package rendition

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// transfer is one from the origin, or an examination, that runs. Its goroutine says how far it is.
type transfer struct {
	stop     context.CancelFunc
	progress atomic.Pointer[core.Progress]
}

// newTransfer returns one that has brought nothing, and the context that ends with it.
func (r *Rendition) newTransfer() (*transfer, context.Context) {
	ctx, stop := context.WithCancel(r.ctx)
	t := &transfer{stop: stop}
	t.progress.Store(&core.Progress{})
	return t, ctx
}

// Stop ends it.
func (t *transfer) Stop() { t.stop() }

// Progress is how far it is.
func (t *transfer) Progress() core.Progress { return *t.progress.Load() }

// Fetch asks the origin for a segment, from the bytes already held on.
func (d driver) Fetch(seg *core.Segment, held []byte, _ time.Time) core.Transfer {
	r := d.r
	t, ctx := r.newTransfer()
	r.shared.Counters.OriginRequests.Add(1)
	m, known, attempt, readers := seg.Segment, seg.Total, seg.Attempt, readersOf(seg)
	progress := func(data []byte, total int64) {
		at := time.Now()
		t.progress.Store(&core.Progress{At: at, Received: int64(len(data) - len(held)), Remaining: remaining(total, len(data))})
		readers.Publish(attempt, data, total, at)
	}
	r.shared.Work.Go(func() {
		defer t.stop()
		data, total, err := r.fetcher.Read(ctx, m, held, known, progress)
		r.mail.Post(func() { r.fetched(seg, attempt, data, total, err) })
	})
	return t
}

// remaining is how many of total bytes are still to come; −1 if that is not known.
func remaining(total int64, have int) int64 {
	if total < 0 {
		return -1
	}
	return total - int64(have)
}

// fetched takes the end of a transfer from the origin.
func (r *Rendition) fetched(seg *core.Segment, attempt int64, data []byte, total int64, err error) {
	f := failureOf(err)
	if r.core.Fetches(seg, attempt) && err != nil && !f.Ended {
		r.shared.Counters.SegmentFailures.Add(1)
		if seg.Failures == 0 && r.ctx.Err() == nil {
			r.originLog.Warn("fetching segment failed, trying again", "sequence", seg.Sequence, "error", err)
		}
	}
	r.core.Fetched(seg, attempt, data, total, f, time.Now())
}

// failureOf is what an error of a transfer from the origin says.
func failureOf(err error) core.Failure {
	if err == nil {
		return core.Failure{}
	}
	f := core.Failure{
		Err: err, Ended: errors.Is(err, context.Canceled) || manifest.ReasonOf(err) == manifest.ReasonCanceled,
		Refused: manifest.Refused(err), Permanent: fetch.Permanent(err),
		TooLarge: manifest.ReasonOf(err) == manifest.ReasonTooLarge, RetryAfter: manifest.RetryAfter(err),
	}
	if e := (*manifest.Error)(nil); errors.As(err, &e) {
		f.Lacking = e.Status == http.StatusNotFound || e.Status == http.StatusGone
	}
	return f
}

// Ask asks a peer for a segment, from the bytes already held on.
func (d driver) Ask(p core.Peer, seg *core.Segment, held []byte, now time.Time) {
	r, s, attempt, readers := d.r, p.(*session.Session), seg.Attempt, readersOf(seg)
	s.Start(session.Request{
		ID: seg.ID(s.Generation()), Held: held, Total: seg.Total,
		Progress: func(data []byte, total int64, at time.Time) { readers.Publish(attempt, data, total, at) },
		Done:     func(result session.Result) { r.mail.Post(func() { r.answered(s, seg, attempt, result) }) },
	}, now)
}

// answered takes the end of a request to a peer.
func (r *Rendition) answered(s *session.Session, seg *core.Segment, attempt int64, result session.Result) {
	if !result.Succeeded {
		r.log.Debug("peer did not deliver", "peer", string(s.ID()), "sequence", seg.Sequence, "reason", result.Reason)
	}
	r.core.Answered(s, seg, core.Answer{
		Attempt: attempt, Data: result.Data, Total: result.Total, Whole: result.Succeeded,
		Blame: result.Reason == wire.FailureAbsent || result.Reason == wire.FailureTimeout,
	}, time.Now())
}

package rendition

import (
	"context"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Checks tells whether there is something to check segments of peers with.
func (d driver) Checks() bool { return d.r.shared.Checker != nil }

// Verifies tells whether each segment is compared with the origin's own bytes.
func (d driver) Verifies() bool { return d.r.shared.Settings.Verify }

// newExamination returns one that has all bytes, and the context that ends with it.
func (r *Rendition) newExamination(e core.Examination) (*transfer, context.Context) {
	t, ctx := r.newTransfer()
	t.progress.Store(&core.Progress{At: time.Now(), Received: int64(len(e.Data))})
	return t, ctx
}

// Check begins to check a segment's hash.
func (d driver) Check(e core.Examination) core.Transfer {
	r := d.r
	// Not the swarms that are named now: the first segments come before they are, and swarms may be left meanwhile.
	peer := e.Segment.Peers[0]
	swarm, id := peer.(*session.Session).Swarm(), e.Segment.ID(peer.Generation())
	t, ctx := r.newExamination(e)
	r.shared.Work.Go(func() {
		defer t.stop()
		verdict := r.shared.Checker.Check(ctx, string(swarm), id, e.Data)
		r.mail.Post(func() { r.checked(e, verdict) })
	})
	return t
}

// checked takes the result of a check.
func (r *Rendition) checked(e core.Examination, verdict hashes.Verdict) {
	result := core.Right
	if counters, seg := r.shared.Counters, e.Segment; r.core.Runs(e) {
		switch verdict {
		case hashes.Right:
			counters.Right.Add(1)
		case hashes.Unknown:
			counters.Unknown.Add(1)
			result = core.Unknown
		case hashes.Wrong:
			counters.Wrong.Add(1)
			result = core.Wrong
			r.log.Warn("a segment from a peer is not the origin's, fetching it again", "sequence", seg.Sequence, "source", sourceOf(e), "peers", len(seg.Peers))
		case hashes.Unproven:
			counters.Unproven.Add(1)
			result = core.Unproven
			r.log.Debug("the hash of a segment from a peer did not come in time, fetching it again", "sequence", seg.Sequence)
		}
	}
	r.core.Checked(e, result, time.Now())
}

// Verify begins to compare a whole segment with the origin's bytes.
func (d driver) Verify(e core.Examination) core.Transfer {
	r, m := d.r, e.Segment.Segment
	t, ctx := r.newExamination(e)
	r.shared.Work.Go(func() {
		defer t.stop()
		same, err := r.shared.Verifier.Verify(ctx, m, e.Data)
		r.mail.Post(func() { r.verified(e, same, err) })
	})
	return t
}

// verified takes the result of a comparison. What the origin does not deliver now cannot be compared, and is used.
func (r *Rendition) verified(e core.Examination, same bool, err error) {
	switch {
	case !r.core.Runs(e):
	case err != nil:
		r.originLog.Warn("verifying segment failed: the origin does not deliver it", "sequence", e.Segment.Sequence, "error", err)
	case !same:
		r.log.Error("segment differs from the origin's, fetching it again", "sequence", e.Segment.Sequence, "source", sourceOf(e))
	}
	r.core.Verified(e, same || err != nil, time.Now())
}

// sourceOf is where the end of an examined segment came from.
func sourceOf(e core.Examination) traffic.Source {
	switch {
	case e.Origin:
		return traffic.FromHTTP
	case e.From != nil && e.From.Seeder():
		return traffic.FromSeeder
	}
	return traffic.FromViewer
}

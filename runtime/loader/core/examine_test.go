package core

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// checked is a viewer whose segments are checked, with a segment that a peer is asked for from the origin's bytes held on.
func checked(t *testing.T, held int) (*subject, *Segment, *fakePeer, time.Time) {
	t.Helper()
	r := idle(t, 100, 4)
	r.d.checks = true
	p, seg, now := connect(r), r.table.order[0], time.Now()
	seg.Partial = r.fresh(held)
	r.Request(p, seg, now)
	return r, seg, p, now
}

// TestSegmentsOfPeersAreChecked before they are stored; those of the origin alone are not.
func TestSegmentsOfPeersAreChecked(t *testing.T) {
	r, seg, p, now := checked(t, 0)
	r.Answered(p, seg, Answer{Attempt: seg.Attempt, Data: r.fresh(100), Total: 100, Whole: true}, now)
	if seg.Held() || seg.State != schedule.Fetching || len(r.d.examined) != 1 || r.Announced(seg, p.Generation()) == schedule.Loaded {
		t.Fatalf("in state %v, %d examined", seg.State, len(r.d.examined))
	}
	r.Checked(r.d.examined[0], Right, now)
	if !seg.Held() || r.d.stored != 1 || len(seg.Peers) > 0 {
		t.Errorf("what is right is in state %v", seg.State)
	}
	r.Checked(r.d.examined[0], Wrong, now)
	if !seg.Held() || p.convicted {
		t.Error("a result that is not waited for counts")
	}
	other := r.table.order[1]
	r.Complete(other, r.fresh(100), true, now)
	if !other.Held() || len(r.d.examined) != 1 {
		t.Error("the origin's own segment is checked")
	}
}

// TestWrongBytesAreTheirGivers: the only one is cut off, and of several each is blamed. What the origin gave before stays.
func TestWrongBytesAreTheirGivers(t *testing.T) {
	r, seg, p, now := checked(t, 10)
	r.Answered(p, seg, Answer{Attempt: seg.Attempt, Data: append(seg.Partial, r.fresh(100)...)[:100], Total: 100, Whole: true}, now)
	r.Checked(r.d.examined[0], Wrong, now)
	if !p.convicted || seg.State != schedule.Missing || len(seg.Partial) != 10 || seg.NotFrom != p || seg.claimed != -1 {
		t.Errorf("cut off: %v, in state %v with %d bytes, not from %v", p.convicted, seg.State, len(seg.Partial), seg.NotFrom)
	}
	r, seg, p, now = checked(t, 0)
	other := connect(r)
	r.Answered(p, seg, Answer{Attempt: seg.Attempt, Data: r.fresh(40), Total: 100}, now)
	r.Request(other, seg, now)
	r.Answered(other, seg, Answer{Attempt: seg.Attempt, Data: r.fresh(100), Total: 100, Whole: true}, now)
	r.Checked(r.d.examined[0], Wrong, now)
	if p.convicted || other.convicted || p.blamed != 1 || other.blamed != 1 {
		t.Errorf("cut off: %v and %v, blamed: %d and %d", p.convicted, other.convicted, p.blamed, other.blamed)
	}
}

// TestWhatCannotBeProvenIsCounted until the segment is held.
func TestWhatCannotBeProvenIsCounted(t *testing.T) {
	r, seg, p, now := checked(t, 0)
	r.Answered(p, seg, Answer{Attempt: seg.Attempt, Data: r.fresh(100), Total: 100, Whole: true}, now)
	r.Checked(r.d.examined[0], Unproven, now)
	if seg.Unproven != 1 || seg.State != schedule.Missing || p.convicted || p.blamed > 0 {
		t.Errorf("%d times, in state %v", seg.Unproven, seg.State)
	}
	r.Complete(seg, r.fresh(100), true, now)
	if !seg.Held() || seg.Unproven != 0 {
		t.Error("the count outlives the segment's arrival")
	}
}

// TestWhatDiffersIsRejected: the peer that brought it is blamed, and an origin that brought it is not asked again at once.
func TestWhatDiffersIsRejected(t *testing.T) {
	r := idle(t, 100, 4)
	r.d.verifies = true
	p, seg, now := connect(r), r.table.order[0], time.Now()
	r.Request(p, seg, now)
	r.Answered(p, seg, Answer{Attempt: seg.Attempt, Data: r.fresh(100), Total: 100, Whole: true}, now)
	r.Verified(r.d.examined[0], false, now)
	if seg.State != schedule.Missing || p.blamed != 1 || seg.Failures != 0 || seg.NotFrom != p {
		t.Errorf("in state %v, the peer is blamed %d times, the origin failed %d times", seg.State, p.blamed, seg.Failures)
	}
	r.Complete(seg, r.fresh(100), true, now)
	r.Verified(r.d.examined[1], false, now)
	if seg.State != schedule.Missing || p.blamed != 1 || seg.Failures != 1 || !seg.RetryAt.After(now) {
		t.Errorf("in state %v, the peer is blamed %d times, the origin failed %d times", seg.State, p.blamed, seg.Failures)
	}
	r.Complete(seg, r.fresh(100), true, now)
	r.Verified(r.d.examined[2], true, now)
	if !seg.Held() {
		t.Error("what is the same is not taken")
	}
	if r.d.transit != 0 {
		t.Errorf("%d bytes are still in transit", r.d.transit)
	}
}

// TestAnAnswerOfWhatWasGivenUp: a segment whose name stands for other media now does not get the bytes that a peer sent before.
func TestAnAnswerOfWhatWasGivenUp(t *testing.T) {
	r, seg, p, now := checked(t, 0)
	r.d.checks = false
	before := Answer{Attempt: seg.Attempt, Data: r.fresh(100), Total: 100, Whole: true}
	p.flight = nil // it has sent all, and that is on its way here
	r.giveUp(seg)
	r.Answered(p, seg, before, now)
	if seg.State != schedule.Missing || r.d.transit != 0 {
		t.Errorf("in state %v, with %d bytes in transit", seg.State, r.d.transit)
	}
	before.Data = r.fresh(100)
	r.Request(p, seg, now)
	r.Answered(p, seg, before, now)
	if seg.State != schedule.Requested || r.d.transit != 0 {
		t.Errorf("asked again: in state %v, with %d bytes in transit", seg.State, r.d.transit)
	}
}

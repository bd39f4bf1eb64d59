package core

import (
	"testing"
	"time"
)

// TestContradictionsShareNoBytes has two sources say different things of one segment.
func TestContradictionsShareNoBytes(t *testing.T) {
	r := idle(t, 100, 4)
	seg := r.table.order[0]
	fresh := r.fresh
	r.keep(seg, fresh(10), 100)
	if len(seg.Partial) != 10 || seg.claimed != 100 {
		t.Fatalf("%d of %d bytes kept", len(seg.Partial), seg.claimed)
	}
	r.keep(seg, append(seg.Partial, fresh(5)...), 200)
	if len(seg.Partial) != 0 || seg.claimed != -1 {
		t.Errorf("%d of %d bytes kept of what contradicts", len(seg.Partial), seg.claimed)
	}
	r.keep(seg, fresh(10), 100)
	r.Complete(seg, append(seg.Partial, fresh(40)...), true, time.Now())
	if seg.Held() || r.stored().Has(seg.Key) {
		t.Error("50 bytes made a segment of 100")
	}
	r.Complete(seg, fresh(50), true, time.Now())
	if !seg.Held() {
		t.Error("the origin's own 50 bytes were not taken")
	}
	if r.d.transit != 0 {
		t.Errorf("%d bytes are still in transit", r.d.transit)
	}
	if got := r.stored().Stats(); got.Segments != 1 || got.Bytes != 50 {
		t.Errorf("%+v", got)
	}
}

// TestSeederPausesWhenTheOriginFails has a seeder's origin fail for one segment after the other.
func TestSeederPausesWhenTheOriginFails(t *testing.T) {
	r := idle(t, 0, 100)
	now := time.Now()
	for i, seg := range r.table.order[:failuresInARow] {
		if r.origin.pausing(now) {
			t.Fatalf("after %d failures", i)
		}
		r.Failed(seg, now)
	}
	if !r.origin.pausing(now) || r.origin.pausing(now.Add(firstPause)) {
		t.Error("no pause, or too long a one")
	}
	for _, seg := range r.table.order[failuresInARow:] {
		r.Failed(seg, now)
	}
	if !r.origin.pausing(now.Add(longestPause-1)) || r.origin.pausing(now.Add(longestPause)) {
		t.Error("the longest pause is wrong")
	}
	r.Complete(r.table.order[0], r.fresh(1), true, time.Now())
	if r.origin.pausing(now) {
		t.Error("a success does not end it")
	}
}

// TestOriginThatWantsNoRequests asks for time.
func TestOriginThatWantsNoRequests(t *testing.T) {
	r := idle(t, 0, 4)
	now := time.Now()
	r.obey(r.table.order[0], 20*time.Second, now)
	for _, seg := range r.table.order {
		r.Fetch(seg, now.Add(19*time.Second))
		if seg.RetryAt.Before(now.Add(20 * time.Second)) {
			t.Errorf("segment %d is asked for after %v", seg.Sequence, seg.RetryAt.Sub(now))
		}
	}
	if len(r.d.asked) > 0 || !r.origin.pausing(now.Add(19*time.Second)) || r.origin.pausing(now.Add(20*time.Second)) {
		t.Error("the origin is asked all the same, or not asked again")
	}
}
func TestRefusedSegmentsBringTheirPlaylist(t *testing.T) {
	now := time.Now()
	q := &refusals{}
	refused, missing, broken := Failure{Refused: true}, Failure{Refused: true, Lacking: true}, Failure{}
	asked := "nothing"
	fail := func(f Failure, times int, first bool) {
		for range times {
			switch again, manifestToo := q.failed(f, first, now); {
			case manifestToo:
				asked = "manifest"
			case again:
				asked = "playlist"
			}
		}
	}
	check := func(what, want string) {
		t.Helper()
		if asked != want {
			t.Errorf("%s: %s", what, asked)
		}
		asked = "nothing"
	}
	fail(missing, 10, false) // one segment that is missing
	fail(broken, 10, true)
	fail(refused, 2, true)
	check("too early", "nothing")
	fail(refused, 1, false)
	check("after three", "playlist")
	fail(refused, 10, false)
	check("at once again", "nothing")
	now = now.Add(firstReread)
	fail(missing, 1, true)
	check("when the playlist did not help", "manifest")
	now = now.Add(time.Hour)
	q.succeeded()
	fail(refused, 3, true)
	check("after a success", "playlist")
}

// TestWhatLeftThePlaylistIsForgotten loads a playlist that is another one each time.
func TestWhatLeftThePlaylistIsForgotten(t *testing.T) {
	r := idle(t, 0, 500)
	for i := range int64(50) {
		r.Merge(playlistOf(i*1000, 500), time.Now())
		r.Retire(time.Now())
		if n := len(r.table.order); n > 500+minRetired || len(r.table.byKey) != n || len(r.table.bySeq) != n {
			t.Fatalf("load %d: %d segments known, %d by key, %d by number", i, n, len(r.table.byKey), len(r.table.bySeq))
		}
	}
}

// TestARequestThatJustEndedIsNotSilent: what it brought is on its way.
func TestARequestThatJustEndedIsNotSilent(t *testing.T) {
	r := idle(t, 0, 1)
	p, seg, now := connect(r), r.table.order[0], time.Now()
	r.Request(p, seg, now.Add(-time.Minute))
	p.flight, seg.Unproven = nil, 2
	if f := scheduled(seg, map[Peer]int{p: 0}, now).Flight; !f.Since.Equal(now) {
		t.Errorf("it counts as silent since %v", f.Since)
	}
	if n := scheduled(seg, nil, now).Unproven; n != 2 {
		t.Errorf("unproven %d times, want 2", n)
	}
}

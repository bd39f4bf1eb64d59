package core

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// atEdge is a rendition of an edge seeder without a running owner, that joined long ago.
func atEdge(t *testing.T) *subject {
	t.Helper()
	r := idle(t, 100, 6)
	r.Config.Seeder, r.Config.Edge = true, true
	r.Config.Alone = false
	r.joinedAt = time.Now().Add(-time.Minute)
	r.d.own = "-PS0001-000000000000"
	return r
}

// pass is one pass of the owner over what is to be held.
func (r *subject) pass(now time.Time) {
	r.seed(now)
}

func TestAnEdgeSeederAsksSeedersFirst(t *testing.T) {
	r := atEdge(t)
	s := r.meetSeeder(1, false)
	says(s, []int64{104}, []int64{105})
	now := time.Now()
	r.Changed = false
	r.pass(now)
	if !r.Changed {
		t.Error("nothing new is announced")
	}
	r.Changed = false
	r.pass(now)
	if r.Changed {
		t.Error("the same is announced again")
	}
	if seg := r.table.bySeq[104]; seg.State != schedule.Requested || seg.From != s {
		t.Errorf("what the other seeder holds is in state %v", seg.State)
	}
	if seg := r.table.bySeq[105]; seg.State != schedule.Missing || !r.filling.waiting[seg] {
		t.Errorf("what it is fetching is in state %v", seg.State)
	}
	if len(r.d.asked) > 0 {
		t.Error("the origin was asked")
	}
	// Both are announced as on their way, so that the viewers of the site wait for them.
	loading := r.loading()
	for _, id := range []int64{104, 105} {
		if !slices.Contains(loading, id) {
			t.Errorf("%d is not announced as on its way: %v", id, loading)
		}
	}
	if until := r.Until(); !until.After(now) {
		t.Errorf("the driver rests until %v", until)
	}
	// The newest one comes from the origin when the other seeder does not bring it in time.
	r.pass(now.Add(3 * time.Second))
	if seg := r.table.bySeq[105]; seg.State != schedule.Fetching {
		t.Errorf("what the other seeder does not bring is in state %v", seg.State)
	}
}

// TestAnEdgeSeederLeavesWorkToOthers: of two at a site, one gets a segment from outside.
func TestAnEdgeSeederLeavesWorkToOthers(t *testing.T) {
	r := atEdge(t)
	mate := r.meetSeeder(7, true)
	says(mate, nil, nil)
	now := time.Now()
	r.pass(now)
	for _, seg := range r.table.order {
		first := schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), seg.Sequence)
		if asked := seg.State == schedule.Fetching; asked != first && len(r.d.asked) < seederSlots {
			t.Errorf("segment %d: asked %v, is the first %v", seg.Sequence, asked, first)
		}
	}
	for _, seg := range r.table.order {
		if seg.State != schedule.Missing {
			continue
		}
		says(mate, []int64{seg.Sequence}, nil)
		r.pass(now)
		if seg.State != schedule.Requested || seg.From != mate {
			t.Errorf("what the other one has is in state %v", seg.State)
		}
		return
	}
	t.Error("no segment was left to the other one")
}

// TestAnEdgeSeederGivesUpOnSilence: a seeder that does not deliver is not waited for, and is not asked for the segment again.
func TestAnEdgeSeederGivesUpOnSilence(t *testing.T) {
	r := atEdge(t)
	s := r.meetSeeder(1, false)
	says(s, []int64{105}, nil)
	now := time.Now()
	r.pass(now)
	seg := r.table.bySeq[105]
	if seg.State != schedule.Requested {
		t.Fatalf("the segment is in state %v", seg.State)
	}
	r.pass(now.Add(1500 * time.Millisecond))
	if seg.State != schedule.Fetching || seg.NotFrom != s {
		t.Errorf("after a silence it is in state %v", seg.State)
	}
}

// TestEdgeSeedersShareWhatComesLate: a segment that two of a site have wanted for long is asked for by one of them when a seeder
// outside has it, and likewise when the two meet late.
func TestEdgeSeedersShareWhatComesLate(t *testing.T) {
	r := atEdge(t)
	r.playlist.Live = false
	central := r.meetSeeder(1, false)
	says(central, nil, []int64{100, 101, 102, 103, 104, 105})
	mate := r.meetSeeder(7, true)
	says(mate, nil, nil)
	now := time.Now()
	r.pass(now)
	now = now.Add(2 * time.Second)
	says(central, []int64{100, 101, 102, 103, 104, 105}, nil)
	r.pass(now)
	asked := 0
	for _, seg := range r.table.order {
		if seg.State == schedule.Requested {
			asked++
		}
		if first := schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), seg.Sequence); seg.State != schedule.Missing && !first {
			t.Errorf("segment %d is in state %v though the other one comes first", seg.Sequence, seg.State)
		}
	}
	if asked == 0 && schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), 100) {
		t.Error("nothing is asked for")
	}
}

// TestAFailureIsNotAReasonForTheOrigin: when the only seeder outside stalls, what players are not near waits for it.
func TestAFailureIsNotAReasonForTheOrigin(t *testing.T) {
	r := atEdge(t)
	r.playlist.Live = false
	central := r.meetSeeder(1, false)
	says(central, []int64{100, 101, 102, 103, 104, 105}, nil)
	now := time.Now()
	r.pass(now)
	late := now.Add(4 * time.Second) // so long without a byte
	r.pass(late)
	if n := len(r.d.asked); n > 0 {
		t.Errorf("%d requests to the origin", n)
	}
	r.pass(late.Add(1100 * time.Millisecond))
	if _, running := central.Flight(); !running {
		t.Error("the seeder is not asked again")
	}
	r.pass(late.Add(5 * time.Second))
	for range 4 {
		late = late.Add(5 * time.Second)
		r.pass(late)
	}
	fetching := 0
	for _, seg := range r.table.order {
		if seg.State == schedule.Fetching {
			fetching++
		}
	}
	if fetching == 0 {
		t.Error("the origin is not asked though the seeder goes on to fail")
	}
}

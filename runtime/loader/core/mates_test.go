package core

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// central is a rendition of a central seeder without a running owner, that has just joined.
func central(t *testing.T) *subject {
	t.Helper()
	r := atEdge(t)
	r.Config.Edge = false
	r.joinedAt = time.Now()
	return r
}

func (r *subject) fetching() (n int) {
	for _, seg := range r.table.order {
		if seg.State == schedule.Fetching {
			n++
		}
	}
	return n
}

// TestASeederAloneDoesNotWait: as soon as a tracker says that it is alone, and after a second if none says anything.
func TestASeederAloneDoesNotWait(t *testing.T) {
	r := central(t)
	now := r.joinedAt
	r.pass(now)
	if n := r.fetching(); n != 1 {
		t.Errorf("it fetches %d segments before it knows whether it is alone, want the newest", n)
	}
	if r.table.bySeq[105].State != schedule.Fetching {
		t.Error("it does not fetch the newest one first")
	}
	r.Counted(Census{Peers: 7, Known: true})
	r.pass(now)
	if n := r.fetching(); n != seederSlots {
		t.Errorf("alone it fetches %d segments, want %d", n, seederSlots)
	}
	unknown := central(t)
	unknown.pass(unknown.joinedAt.Add(fillHello))
	if n := unknown.fetching(); n != seederSlots {
		t.Errorf("without a tracker it fetches %d segments, want %d", n, seederSlots)
	}
}

// TestASeederWaitsForOthers that the tracker knows, until they should have connected.
func TestASeederWaitsForOthers(t *testing.T) {
	r := central(t)
	now := r.joinedAt
	r.Counted(Census{Seeders: 1, Known: true})
	r.pass(now)
	if n := r.fetching(); n > 0 {
		t.Errorf("it fetches %d segments that the other one may hold", n)
	}
	if seg := r.table.bySeq[105]; !r.filling.comes(seg) {
		t.Error("viewers are not told to wait")
	}
	r.pass(now.Add(fillConnect))
	if n := r.fetching(); n != seederSlots {
		t.Errorf("when none has connected it fetches %d segments, want %d", n, seederSlots)
	}
}

// TestCentralSeedersShare: each segment is left to the one that comes first, and taken from the seeder that holds it.
func TestCentralSeedersShare(t *testing.T) {
	r := central(t)
	r.Counted(Census{Seeders: 1, Known: true})
	mate := r.meetSeederOf(7, signaling.Origin{Shares: true})
	says(mate, []int64{103}, nil)
	now := r.joinedAt
	r.pass(now)
	if seg := r.table.bySeq[103]; seg.State != schedule.Requested || seg.From != mate {
		t.Errorf("what the other one holds is in state %v", seg.State)
	}
	ours := 0
	for _, seg := range r.table.order {
		first := schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), seg.Sequence)
		if seg.State == schedule.Fetching && !first {
			t.Errorf("segment %d is fetched, though the other one comes first", seg.Sequence)
		}
		if first && seg.Sequence != 103 {
			ours++
		}
	}
	if n := r.fetching(); n != min(ours, seederSlots) {
		t.Errorf("%d segments are fetched, of %d that it comes first for", n, ours)
	}
	// The other one brings nothing.
	r.pass(now.Add(r.playlist.TargetDuration + 2*time.Second))
	if r.fetching() <= min(ours, seederSlots-1) {
		t.Errorf("%d segments are fetched after the other one was late", r.fetching())
	}
}

// TestACentralSeederTakesNothingFromTheEdge: that would go over the line of a site.
func TestACentralSeederTakesNothingFromTheEdge(t *testing.T) {
	for _, origin := range []signaling.Origin{{Site: "Bern"}, {Site: "Bern", Near: true}, {}} {
		r := central(t)
		r.Counted(Census{Seeders: 1, Known: true})
		edge := r.meetSeederOf(1, origin)
		says(edge, []int64{100, 101, 102, 103, 104, 105}, nil)
		r.pass(r.joinedAt.Add(fillConnect))
		if _, running := edge.Flight(); running || r.fetching() != seederSlots {
			t.Errorf("with a seeder at %+v it fetches %d segments, and asks that one: %v", origin, r.fetching(), running)
		}
	}
}

// TestASeederWithViewersDoesNotWait for a connection to another seeder: what they need is fetched as if it were alone.
func TestASeederWithViewersDoesNotWait(t *testing.T) {
	for name, learn := range map[string]func(*subject){
		"before a tracker has answered": func(*subject) {},
		"when there are others":         func(r *subject) { r.Counted(Census{Seeders: 1, Known: true}) },
	} {
		r := central(t)
		learn(r)
		connect(r)
		r.pass(r.joinedAt)
		if n := r.fetching(); n != seederSlots {
			t.Errorf("%s it fetches %d segments, want %d", name, n, seederSlots)
		}
	}
}

// TestASeederThatStopsHasNoTurn: what it holds no more is fetched at once, and so is what one that hangs would have to bring.
func TestASeederThatStopsHasNoTurn(t *testing.T) {
	for name, change := range map[string]func(*subject, *fakePeer) time.Duration{
		"it has withdrawn": func(_ *subject, s *fakePeer) time.Duration {
			says(s, nil, nil)
			return 0
		},
		"it says nothing new": func(r *subject, _ *fakePeer) time.Duration {
			return fillSilent * r.playlist.TargetDuration
		},
	} {
		r := central(t)
		now := time.Now()
		r.joinedAt = now.Add(-time.Minute)
		r.playlist.TargetDuration = 4 * time.Second
		r.Counted(Census{Seeders: 1, Known: true})
		mate := r.meetSeederOf(7, signaling.Origin{Shares: true})
		says(mate, nil, []int64{105})
		r.pass(now)
		if r.filling.mates != 1 {
			t.Fatalf("%s: it shared with %d", name, r.filling.mates)
		}
		wait := change(r, mate)
		for _, seg := range r.table.order { // the others are new
			seg.wantedAt = time.Time{}
		}
		r.pass(now.Add(wait))
		if n := r.fetching(); n < seederSlots || r.filling.mates != 0 {
			t.Errorf("%s: %d segments are fetched, and it shares with %d", name, n, r.filling.mates)
		}
	}
}

// TestAViewersNextSegmentDoesNotWait: of a film, what a viewer plays next is fetched at once, though another seeder comes first.
func TestAViewersNextSegmentDoesNotWait(t *testing.T) {
	r := central(t)
	r.playlist.Live = false
	r.Counted(Census{Seeders: 1, Known: true})
	mate := r.meetSeederOf(7, signaling.Origin{Shares: true})
	says(mate, []int64{100}, nil)
	next := int64(0)
	for _, seg := range r.table.order[2:] {
		if schedule.FillBefore(string(mate.ID()), "-PS0001-000000000000", seg.Sequence) {
			next = seg.Sequence
			break
		}
	}
	viewer := connect(r)
	says(viewer, []int64{next - 1}, nil)
	r.pass(r.joinedAt)
	if got := r.table.bySeq[next].State; got != schedule.Fetching {
		t.Errorf("segment %d is in state %v", next, got)
	}
}

// TestASlowSeederIsLeft also when nothing else is expected of it any more.
func TestASlowSeederIsLeft(t *testing.T) {
	r := central(t)
	mate := r.meetSeederOf(7, signaling.Origin{Shares: true})
	says(mate, []int64{100, 101, 102, 103, 104, 105}, nil)
	r.pass(r.joinedAt)
	asked := slices.IndexFunc(r.table.order, func(s *Segment) bool { return s.State == schedule.Requested })
	if asked < 0 {
		t.Fatal("it is not asked")
	}
	r.pass(r.joinedAt.Add(time.Minute))
	if got := r.table.order[asked].State; got == schedule.Requested {
		t.Error("the request still runs")
	}
}

package rendition

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// central is a rendition of a central seeder without a running owner, that has just joined.
func central(t *testing.T) *Rendition {
	t.Helper()
	r := atEdge(t)
	r.shared.Settings.Edge = false
	r.joinedAt = time.Now()
	return r
}

func (r *Rendition) fetching() (n int) {
	for _, seg := range r.segments.order {
		if seg.state == schedule.Fetching {
			n++
		}
	}
	return n
}

// TestASeederAloneDoesNotWait: as soon as a tracker says that it is alone, and after a second if none says anything.
func TestASeederAloneDoesNotWait(t *testing.T) {
	r := central(t)
	defer r.endTransfers()
	now := r.joinedAt
	r.pass(now)
	if n := r.fetching(); n != 1 {
		t.Errorf("it fetches %d segments before it knows whether it is alone, want the newest", n)
	}
	if r.segments.bySeq[105].state != schedule.Fetching {
		t.Error("it does not fetch the newest one first")
	}
	r.counted(mesh.Census{Peers: 7}, 0)
	r.pass(now)
	if n := r.fetching(); n != seederSlots {
		t.Errorf("alone it fetches %d segments, want %d", n, seederSlots)
	}
	unknown := central(t)
	defer unknown.endTransfers()
	unknown.pass(unknown.joinedAt.Add(fillHello))
	if n := unknown.fetching(); n != seederSlots {
		t.Errorf("without a tracker it fetches %d segments, want %d", n, seederSlots)
	}
}

// TestASeederWaitsForOthers that the tracker knows, until they should have connected.
func TestASeederWaitsForOthers(t *testing.T) {
	r := central(t)
	defer r.endTransfers()
	now := r.joinedAt
	r.counted(mesh.Census{Seeders: 1}, 0)
	r.pass(now)
	if n := r.fetching(); n > 0 {
		t.Errorf("it fetches %d segments that the other one may hold", n)
	}
	if seg := r.segments.bySeq[105]; !r.filling.comes(seg) {
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
	defer r.endTransfers()
	r.counted(mesh.Census{Seeders: 1}, 0)
	mate := r.meetSeederOf(t, 7, signaling.Origin{Shares: true})
	says(t, mate, []int64{103}, nil)
	now := r.joinedAt
	r.pass(now)
	if seg := r.segments.bySeq[103]; seg.state != schedule.Requested || seg.from != mate {
		t.Errorf("what the other one holds is in state %v", seg.state)
	}
	ours := 0
	for _, seg := range r.segments.order {
		first := schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), seg.Sequence)
		if seg.state == schedule.Fetching && !first {
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
		r.counted(mesh.Census{Seeders: 1}, 0)
		edge := r.meetSeederOf(t, 1, origin)
		says(t, edge, []int64{100, 101, 102, 103, 104, 105}, nil)
		r.pass(r.joinedAt.Add(fillConnect))
		if _, running := edge.Flight(); running || r.fetching() != seederSlots {
			t.Errorf("with a seeder at %+v it fetches %d segments, and asks that one: %v", origin, r.fetching(), running)
		}
		r.endTransfers()
	}
}

// TestASeederWithViewersDoesNotWait for a connection to another seeder: what they need is fetched as if it were alone.
func TestASeederWithViewersDoesNotWait(t *testing.T) {
	for name, learn := range map[string]func(*Rendition){
		"before a tracker has answered": func(*Rendition) {},
		"when there are others":         func(r *Rendition) { r.counted(mesh.Census{Seeders: 1}, 0) },
	} {
		r := central(t)
		learn(r)
		viewer := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, &seederConn{id: "-PE0001-000000000001"})
		r.sessions = append(r.sessions, viewer)
		r.pass(r.joinedAt)
		if n := r.fetching(); n != seederSlots {
			t.Errorf("%s it fetches %d segments, want %d", name, n, seederSlots)
		}
		r.endTransfers()
	}
}

// TestASeederThatStopsHasNoTurn: what it holds no more is fetched at once, and so is what one that hangs would have to bring.
func TestASeederThatStopsHasNoTurn(t *testing.T) {
	for name, change := range map[string]func(*Rendition, *session.Session) time.Duration{
		"it has withdrawn": func(_ *Rendition, s *session.Session) time.Duration {
			says(t, s, nil, nil)
			return 0
		},
		"it says nothing new": func(r *Rendition, _ *session.Session) time.Duration {
			return fillSilent * r.playlist.TargetDuration
		},
	} {
		r := central(t)
		now := time.Now()
		r.joinedAt = now.Add(-time.Minute)
		r.playlist.TargetDuration = 4 * time.Second
		r.counted(mesh.Census{Seeders: 1}, 0)
		mate := r.meetSeederOf(t, 7, signaling.Origin{Shares: true})
		says(t, mate, nil, []int64{105})
		r.pass(now)
		if r.filling.mates != 1 {
			t.Fatalf("%s: it shared with %d", name, r.filling.mates)
		}
		wait := change(r, mate)
		for _, seg := range r.segments.order { // the others are new
			seg.wantedAt = time.Time{}
		}
		r.pass(now.Add(wait))
		if n := r.fetching(); n < seederSlots || r.filling.mates != 0 {
			t.Errorf("%s: %d segments are fetched, and it shares with %d", name, n, r.filling.mates)
		}
		r.endTransfers()
	}
}

// TestAViewersNextSegmentDoesNotWait: of a film, what a viewer plays next is fetched at once, though another seeder comes first.
func TestAViewersNextSegmentDoesNotWait(t *testing.T) {
	r := central(t)
	defer r.endTransfers()
	r.playlist.Live = false
	r.counted(mesh.Census{Seeders: 1}, 0)
	mate := r.meetSeederOf(t, 7, signaling.Origin{Shares: true})
	says(t, mate, []int64{100}, nil)
	next := int64(0)
	for _, seg := range r.segments.order[2:] {
		if schedule.FillBefore(string(mate.ID()), "-PS0001-000000000000", seg.Sequence) {
			next = seg.Sequence
			break
		}
	}
	viewer := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, &seederConn{id: "-PE0001-000000000001"})
	r.sessions = append(r.sessions, viewer)
	says(t, viewer, []int64{next - 1}, nil)
	r.pass(r.joinedAt)
	if got := r.segments.bySeq[next].state; got != schedule.Fetching {
		t.Errorf("segment %d is in state %v", next, got)
	}
}

// TestASlowSeederIsLeft also when nothing else is expected of it any more.
func TestASlowSeederIsLeft(t *testing.T) {
	r := central(t)
	defer r.endTransfers()
	mate := r.meetSeederOf(t, 7, signaling.Origin{Shares: true})
	says(t, mate, []int64{100, 101, 102, 103, 104, 105}, nil)
	r.pass(r.joinedAt)
	asked := slices.IndexFunc(r.segments.order, func(s *segment) bool { return s.state == schedule.Requested })
	if asked < 0 {
		t.Fatal("it is not asked")
	}
	r.pass(r.joinedAt.Add(time.Minute))
	if got := r.segments.order[asked].state; got == schedule.Requested {
		t.Error("the request still runs")
	}
}

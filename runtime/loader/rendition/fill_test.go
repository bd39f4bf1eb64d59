package rendition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// seederConn is a connection to another seeder.
type seederConn struct {
	peerConn
	id     identity.PeerID
	origin signaling.Origin
}

func (c *seederConn) ID() identity.PeerID      { return c.id }
func (c *seederConn) Origin() signaling.Origin { return c.origin }

// atEdge is a rendition of an edge seeder without a running owner, that joined long ago.
func atEdge(t *testing.T) *Rendition {
	t.Helper()
	r := idle(t, 100, 6)
	r.shared.Settings.Seeder, r.shared.Settings.Edge = true, true
	r.shared.Settings.Trackers = []string{"ws://127.0.0.1:1/announce"}
	r.shared.Settings.SuperSeeding = ""
	r.joinedAt = time.Now().Add(-time.Minute)
	id := identity.PeerID("-PS0001-000000000000")
	r.swarms.id.Store(&id)
	return r
}

func (r *Rendition) meetSeeder(t *testing.T, n int, near bool) *session.Session {
	t.Helper()
	return r.meetSeederOf(t, n, signaling.Origin{Near: near})
}

func (r *Rendition) meetSeederOf(t *testing.T, n int, origin signaling.Origin) *session.Session {
	t.Helper()
	s := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, &seederConn{id: identity.PeerID(fmt.Sprintf("-PS0001-%012d", n)), origin: origin})
	r.sessions = append(r.sessions, s)
	return s
}

// says has a seeder announce what it holds and what it is fetching.
func says(t *testing.T, s *session.Session, loaded, loading []int64) {
	t.Helper()
	messages, err := wire.Encode(wire.Command{Code: wire.SegmentsAnnouncement, Loaded: loaded, Loading: loading}, wire.DefaultMaxMessageSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		s.Message(m)
	}
}

// pass is one pass of the owner over what is to be held.
func (r *Rendition) pass(now time.Time) {
	r.seed(now)
	r.announce(now)
}

// endTransfers ends what runs.
func (r *Rendition) endTransfers() {
	for _, seg := range r.segments.order {
		r.giveUp(seg)
	}
	r.shared.Work.Wait()
}

func TestAnEdgeSeederAsksSeedersFirst(t *testing.T) {
	r := atEdge(t)
	defer r.endTransfers()
	s := r.meetSeeder(t, 1, false)
	says(t, s, []int64{104}, []int64{105})
	now := time.Now()
	r.pass(now)
	if seg := r.segments.bySeq[104]; seg.state != schedule.Requested || seg.from != s {
		t.Errorf("what the other seeder holds is in state %v", seg.state)
	}
	if seg := r.segments.bySeq[105]; seg.state != schedule.Missing || !r.filling.waiting[seg] {
		t.Errorf("what it is fetching is in state %v", seg.state)
	}
	if r.shared.Counters.OriginRequests.Load() > 0 {
		t.Error("the origin was asked")
	}
	// Both are announced as on their way, so that the viewers of the site wait for them.
	loading := r.announcer.last[identity.V23].loading
	for _, id := range []int64{104, 105} {
		if !slices.Contains(loading, id) {
			t.Errorf("%d is not announced as on its way: %v", id, loading)
		}
	}
	if until := r.filling.until; !until.After(now) || r.rest(now, time.Hour) > until.Sub(now) {
		t.Errorf("the owner rests until %v", until)
	}
	// The newest one comes from the origin when the other seeder does not bring it in time.
	r.pass(now.Add(3 * time.Second))
	if seg := r.segments.bySeq[105]; seg.state != schedule.Fetching {
		t.Errorf("what the other seeder does not bring is in state %v", seg.state)
	}
}

// TestAnEdgeSeederLeavesWorkToOthers: of two at a site, one gets a segment from outside.
func TestAnEdgeSeederLeavesWorkToOthers(t *testing.T) {
	r := atEdge(t)
	defer r.endTransfers()
	mate := r.meetSeeder(t, 7, true)
	says(t, mate, nil, nil)
	now := time.Now()
	r.pass(now)
	for _, seg := range r.segments.order {
		first := schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), seg.Sequence)
		if asked := seg.state == schedule.Fetching; asked != first && r.shared.Counters.OriginRequests.Load() < seederSlots {
			t.Errorf("segment %d: asked %v, is the first %v", seg.Sequence, asked, first)
		}
	}
	for _, seg := range r.segments.order {
		if seg.state != schedule.Missing {
			continue
		}
		says(t, mate, []int64{seg.Sequence}, nil)
		r.pass(now)
		if seg.state != schedule.Requested || seg.from != mate {
			t.Errorf("what the other one has is in state %v", seg.state)
		}
		return
	}
	t.Error("no segment was left to the other one")
}

// TestAnEdgeSeederGivesUpOnSilence: a seeder that does not deliver is not waited for, and is not asked for the segment again.
func TestAnEdgeSeederGivesUpOnSilence(t *testing.T) {
	r := atEdge(t)
	defer r.endTransfers()
	s := r.meetSeeder(t, 1, false)
	says(t, s, []int64{105}, nil)
	now := time.Now()
	r.pass(now)
	seg := r.segments.bySeq[105]
	if seg.state != schedule.Requested {
		t.Fatalf("the segment is in state %v", seg.state)
	}
	r.pass(now.Add(1500 * time.Millisecond))
	if seg.state != schedule.Fetching || seg.notFrom != s {
		t.Errorf("after a silence it is in state %v", seg.state)
	}
}

// TestEdgeSeedersShareWhatComesLate: a segment that two of a site have wanted for long is asked for by one of them when a seeder
// outside has it, and likewise when the two meet late.
func TestEdgeSeedersShareWhatComesLate(t *testing.T) {
	r := atEdge(t)
	defer r.endTransfers()
	r.playlist.Live = false
	central := r.meetSeeder(t, 1, false)
	says(t, central, nil, []int64{100, 101, 102, 103, 104, 105})
	mate := r.meetSeeder(t, 7, true)
	says(t, mate, nil, nil)
	now := time.Now()
	r.pass(now)
	now = now.Add(2 * time.Second)
	says(t, central, []int64{100, 101, 102, 103, 104, 105}, nil)
	r.pass(now)
	asked := 0
	for _, seg := range r.segments.order {
		if seg.state == schedule.Requested {
			asked++
		}
		if first := schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), seg.Sequence); seg.state != schedule.Missing && !first {
			t.Errorf("segment %d is in state %v though the other one comes first", seg.Sequence, seg.state)
		}
	}
	if asked == 0 && schedule.FillBefore("-PS0001-000000000000", string(mate.ID()), 100) {
		t.Error("nothing is asked for")
	}
}

// TestAFailureIsNotAReasonForTheOrigin: when the only seeder outside stalls, what players are not near waits for it.
func TestAFailureIsNotAReasonForTheOrigin(t *testing.T) {
	r := atEdge(t)
	defer r.endTransfers()
	r.playlist.Live = false
	central := r.meetSeeder(t, 1, false)
	says(t, central, []int64{100, 101, 102, 103, 104, 105}, nil)
	now := time.Now()
	r.pass(now)
	late := now.Add(4 * time.Second) // so long without a byte
	r.pass(late)
	if n := r.shared.Counters.OriginRequests.Load(); n > 0 {
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
	for _, seg := range r.segments.order {
		if seg.state == schedule.Fetching {
			fetching++
		}
	}
	if fetching == 0 {
		t.Error("the origin is not asked though the seeder goes on to fail")
	}
}

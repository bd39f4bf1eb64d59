package rendition

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
)

// TestAnElectionCountsTheSwarm: a viewer of many waits for its turn, and one that knows all others has it soon.
func TestAnElectionCountsTheSwarm(t *testing.T) {
	for others, want := range map[int]bool{1: true, 100_000: false} {
		r := idle(t, 100, 6)
		for i, seg := range r.segments.order {
			seg.Start = time.Duration(i) * seg.Duration
		}
		r.shared.Settings.Trackers = []string{"ws://127.0.0.1:1/announce"}
		r.counted(mesh.Census{Peers: others}, 0)
		says(t, r.meetViewer(t), []int64{100, 101, 102, 103}, nil)
		now := time.Now()
		r.view(now)
		r.view(now.Add(2 * time.Second))
		if got := r.segments.bySeq[104].state == schedule.Fetching; got != want {
			t.Errorf("with %d others it asks the origin: %v", others, got)
		}
		r.endTransfers()
	}
}

// TestNoElectionBesideSeeders: a tracker says that there are some, or one is connected.
func TestNoElectionBesideSeeders(t *testing.T) {
	r := idle(t, 100, 6)
	if r.electing() {
		t.Error("before a tracker has said who takes part")
	}
	r.counted(mesh.Census{Peers: 5}, 0)
	if !r.electing() {
		t.Error("not among viewers alone")
	}
	r.counted(mesh.Census{Peers: 5, Seeders: 1}, 0)
	if r.electing() {
		t.Error("although a tracker knows a seeder")
	}
	r.counted(mesh.Census{Peers: 5}, 0)
	r.meetSeeder(t, 1, false)
	if r.electing() {
		t.Error("although a seeder is connected")
	}
}

// meetViewer connects a viewer.
func (r *Rendition) meetViewer(t *testing.T) *session.Session {
	t.Helper()
	s := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, &seederConn{id: "-PM0001-000000000001"})
	r.sessions = append(r.sessions, s)
	return s
}

// TestAViewerPassesOnWhatComes: what a peer is sending it in a live stream is announced as on its way; of a film it is not.
func TestAViewerPassesOnWhatComes(t *testing.T) {
	for _, live := range []bool{true, false} {
		r := idle(t, 100, 6)
		r.playlist.Live = live
		r.counted(mesh.Census{Peers: 1}, 0)
		s := r.meetViewer(t)
		says(t, s, []int64{103}, nil)
		now := time.Now()
		r.announce(now)
		r.request(s, r.segments.bySeq[103], now)
		r.announce(now.Add(time.Minute))
		if got := slices.Contains(r.announcer.last[identity.V23].loading, 103); got != live {
			t.Errorf("live %v: announced as on its way: %v", live, got)
		}
		r.endTransfers()
	}
}

// TestAViewerWithoutPeersDoesNotFetchAhead while its first connections may still come: fifty viewers that start at once would take
// a copy each of all that is ahead of them.
func TestAViewerWithoutPeersDoesNotFetchAhead(t *testing.T) {
	const prefetch = 5 * time.Second
	for name, tt := range map[string]struct {
		others int
		peer   bool
		after  time.Duration
		want   bool
	}{
		"there are others":         {50, false, meetWait - time.Second, false},
		"none of them connects":    {50, false, meetWait, true},
		"there are no others":      {0, false, meetWait - time.Second, true},
		"one of them is connected": {1, true, meetWait - time.Second, true},
		"it has just joined":       {0, false, prefetch - time.Second, false},
	} {
		r := idle(t, 100, 6)
		for i, seg := range r.segments.order {
			seg.Start = time.Duration(i) * seg.Duration
		}
		r.shared.Settings.Trackers = []string{"ws://127.0.0.1:1/announce"}
		r.shared.Settings.PrefetchDelay = prefetch
		now := time.Now()
		r.joinedAt = now.Add(-tt.after)
		r.counted(mesh.Census{Peers: tt.others}, 0)
		if tt.peer {
			says(t, r.meetViewer(t), []int64{}, nil)
		}
		r.view(now)
		r.view(now.Add(time.Second / 2)) // the turn of the first one has come
		if now := r.segments.order[0].state; now != schedule.Fetching {
			t.Errorf("%s: what is about to be played is in state %v", name, now)
		}
		if ahead := r.segments.order[1].state == schedule.Fetching; ahead != tt.want {
			t.Errorf("%s: it fetches ahead: %v, want %v", name, ahead, tt.want)
		}
		r.endTransfers()
	}
}

package core

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// TestAnElectionCountsTheSwarm: a viewer of many waits for its turn, and one that knows all others has it soon.
func TestAnElectionCountsTheSwarm(t *testing.T) {
	for others, want := range map[int]bool{1: true, 100_000: false} {
		r := idle(t, 100, 6)
		for i, seg := range r.table.order {
			seg.Start = time.Duration(i) * seg.Duration
		}
		r.Config.Alone = false
		r.Counted(Census{Peers: others, Known: true})
		says(connect(r), []int64{100, 101, 102, 103}, nil)
		now := time.Now()
		r.view(now)
		r.view(now.Add(2 * time.Second))
		if got := r.table.bySeq[104].State == schedule.Fetching; got != want {
			t.Errorf("with %d others it asks the origin: %v", others, got)
		}
	}
}

// TestTurnsBeginAnew: when a peer that said that it is fetching a segment does not bring it, not all whose turn has passed
// meanwhile fetch it.
func TestTurnsBeginAnew(t *testing.T) {
	r := idle(t, 100, 6)
	for i, seg := range r.table.order {
		seg.Start = time.Duration(i) * seg.Duration
	}
	r.Config.Alone = false
	r.Counted(Census{Peers: 8, Known: true})
	p, now := connect(r), time.Now()
	r.joinedAt = now.Add(-time.Hour)
	step := func(at time.Time, loading []int64, want bool, what string) {
		t.Helper()
		says(p, []int64{100, 101, 102, 103}, loading)
		r.view(at)
		if got := r.table.bySeq[104].State == schedule.Fetching; got != want {
			t.Errorf("%s: it asks the origin: %v", what, got)
		}
	}
	step(now.Add(-time.Minute), nil, false, "at first")
	step(now, []int64{104}, false, "while a peer is fetching it")
	step(now.Add(time.Millisecond), nil, false, "when that one has failed")
	step(now.Add(time.Minute), nil, true, "when its turn has come again")
}

// TestNoElectionBesideSeeders: a tracker says that there are some, or one is connected.
func TestNoElectionBesideSeeders(t *testing.T) {
	r := idle(t, 100, 6)
	if r.electing() {
		t.Error("before a tracker has said who takes part")
	}
	r.Counted(Census{Peers: 5, Known: true})
	if !r.electing() {
		t.Error("not among viewers alone")
	}
	r.Counted(Census{Peers: 5, Seeders: 1, Known: true})
	if r.electing() {
		t.Error("although a tracker knows a seeder")
	}
	r.Counted(Census{Peers: 5, Known: true})
	r.meetSeeder(1, false)
	if r.electing() {
		t.Error("although a seeder is connected")
	}
}

// TestAViewerPassesOnWhatComes: what a peer is sending it in a live stream is announced as on its way; of a film it is not.
func TestAViewerPassesOnWhatComes(t *testing.T) {
	for _, live := range []bool{true, false} {
		r := idle(t, 100, 6)
		r.playlist.Live = live
		r.Counted(Census{Peers: 1, Known: true})
		s := connect(r)
		says(s, []int64{103}, nil)
		now := time.Now()
		r.Changed = false
		r.Request(s, r.table.bySeq[103], now)
		if r.Changed != live {
			t.Errorf("live %v: something new is to be announced: %v", live, r.Changed)
		}
		if got := slices.Contains(r.loading(), 103); got != live {
			t.Errorf("live %v: announced as on its way: %v", live, got)
		}
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
		for i, seg := range r.table.order {
			seg.Start = time.Duration(i) * seg.Duration
		}
		r.Config.Alone = false
		r.Config.PrefetchDelay = prefetch
		now := time.Now()
		r.joinedAt = now.Add(-tt.after)
		r.Counted(Census{Peers: tt.others, Known: true})
		if tt.peer {
			says(connect(r), []int64{}, nil)
		}
		r.view(now)
		r.view(now.Add(time.Second / 2)) // the turn of the first one has come
		if now := r.table.order[0].State; now != schedule.Fetching {
			t.Errorf("%s: what is about to be played is in state %v", name, now)
		}
		if ahead := r.table.order[1].State == schedule.Fetching; ahead != tt.want {
			t.Errorf("%s: it fetches ahead: %v, want %v", name, ahead, tt.want)
		}
	}
}

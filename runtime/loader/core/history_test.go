package core

import (
	"slices"
	"testing"
	"time"
)

// seeding is a seeder alone, whose store holds limit bytes.
func seeding(limit int64) *subject { return subjectOf(Config{Seeder: true, Alone: true}, limit, nil) }

// TestLongPlaylistIsHeldFromTheEdgeBackwards seeds an event of which the store holds a tenth, while it goes on.
func TestLongPlaylistIsHeldFromTheEdgeBackwards(t *testing.T) {
	r := seeding(100_500)
	now := time.Now()
	r.Merge(listed("", 0, 999), now)
	r.Settle(now)
	r.seed(now)
	if first := inFlight(r); len(first) != seederSlots || !slices.Contains(first, 999) {
		t.Errorf("the first fetches are %v, without the live edge", first)
	}
	for edge := int64(999); edge < 1050; edge++ {
		r.Merge(listed("", 0, edge), now)
		drive(r, now)
		got := held(r)
		if len(got) != 100 || got[0] != edge-99 || got[99] != edge {
			t.Fatalf("with %d as the edge %d segments are held: %v", edge, len(got), got)
		}
		now = now.Add(2 * time.Second)
	}
	if twice := r.d.twice(); len(twice) > 0 {
		t.Errorf("fetched more than once: %v", twice)
	}
	if n := len(r.d.asked); n != 150 {
		t.Errorf("%d segments were fetched to hold the newest 100 of each moment, want 150", n)
	}
	for _, seg := range r.table.order {
		if seg.noRoom {
			t.Errorf("segment %d was fetched and not kept", seg.Sequence)
		}
	}
}

// TestHistoryIsFetchedWhereViewersPlay has a viewer play far behind the edge.
func TestHistoryIsFetchedWhereViewersPlay(t *testing.T) {
	r := seeding(100_500)
	now := time.Now()
	r.Merge(listed("", 0, 999), now)
	drive(r, now)
	s := connect(r)
	announce(s, 299, 300)
	now = now.Add(2 * time.Second)
	r.Merge(listed("", 0, 1000), now)
	drive(r, now)
	got := held(r)
	for n := int64(301); n <= 308; n++ {
		if !slices.Contains(got, n) {
			t.Errorf("segment %d is not held: %v", n, got)
		}
	}
	// What new viewers start with stays.
	for n := int64(1000 - 59); n <= 1000; n++ {
		if !slices.Contains(got, n) {
			t.Errorf("segment %d of the last two minutes made room", n)
		}
	}
	if n := len(got); n > 100 {
		t.Errorf("%d segments are held, more than fit", n)
	}
	if twice := r.d.twice(); len(twice) > 0 {
		t.Errorf("fetched more than once: %v", twice)
	}
	// A peer that claims to be at another place each second costs the origin only what time allows.
	asked := len(r.d.asked)
	for i := range int64(20) {
		announce(s, 20*i)
		now = now.Add(time.Second)
		drive(r, now)
	}
	if n := len(r.d.asked) - asked; n > historyBurst+historyPerTime*10+1 {
		t.Errorf("twenty claims within ten segments cost %d fetches", n)
	}
}

// TestShortWindowIsHeldWhole keeps the order for usual playlists: the newest segment, then those where players begin.
func TestShortWindowIsHeldWhole(t *testing.T) {
	r := seeding(100_500)
	r.Merge(listed("", 50, 61), time.Now())
	r.seed(time.Now())
	fetching := inFlight(r)
	if !slices.Equal(fetching, []int64{50, 51, 52, 61}) {
		t.Errorf("fetches %v first", fetching)
	}
	drive(r, time.Now())
	if got := held(r); len(got) != 12 {
		t.Errorf("holds %v", got)
	}
}

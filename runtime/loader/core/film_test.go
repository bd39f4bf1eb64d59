package core

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestFilmIsHeldWhereViewersAre seeds a film of which the store holds a tenth. One viewer plays, another has paused.
func TestFilmIsHeldWhereViewersAre(t *testing.T) {
	r := seeding(42_500)
	now := time.Now()
	r.Merge(film("v", 400), now)
	r.Config.Bandwidth = 4000
	player, paused := connect(r), connect(r)
	announce(player, 199)
	drive(r, now)
	if got := held(r); !slices.Contains(got, 200) || !slices.Contains(got, 230) || slices.Contains(got, 2) {
		t.Fatalf("with a viewer at 200: %v", got)
	}
	announce(paused, 0, 1)
	for n := int64(199); n < 240; n++ {
		announce(player, 0, n)
		drive(r, now)
		got := held(r)
		for next := n + 1; next < n+20; next++ {
			if !slices.Contains(got, next) {
				t.Fatalf("with viewers at %d and 2, %d is not held: %v", n+1, next, got)
			}
		}
		now = now.Add(2 * time.Second)
	}
	if got := held(r); !slices.Contains(got, 2) || !slices.Contains(got, 9) {
		t.Errorf("nothing is held for the viewer at 2: %v", got)
	}
	// What the one who has paused wants takes the place of what was to be played last.
	if twice := r.d.twice(); len(twice) > segmentsNeeded {
		t.Errorf("fetched more than once: %v", twice)
	}
}

// TestClaimsMoveNoFilm has a peer claim to be at another place each second, while another one plays.
func TestClaimsMoveNoFilm(t *testing.T) {
	r := seeding(42_500)
	now := time.Now()
	r.Merge(film("v", 400), now)
	player, liar := connect(r), connect(r)
	announce(player, 199)
	drive(r, now)
	asked := len(r.d.asked)
	for i := range int64(40) {
		announce(liar, (i*37)%190)
		now = now.Add(time.Second)
		drive(r, now)
	}
	if n := len(r.d.asked) - asked; n > historyBurst+historyPerTime*20+1 {
		t.Errorf("forty claims within twenty segments cost %d fetches", n)
	}
	if got := held(r); !slices.Contains(got, 200) || !slices.Contains(got, 215) {
		t.Errorf("what the player needs made room: %v", got)
	}
}

func BenchmarkNewestLoaded(b *testing.B) {
	r := subjectOf(Config{Seeder: true, Alone: true}, 256<<20, nil)
	r.Merge(playlistOf(0, 1800), time.Now())
	ids := make([]int64, 1800)
	for i := range ids {
		ids[i] = int64(i)
	}
	for range 200 {
		announce(connect(r), ids...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(r.newestLoaded()); n != 200 {
			b.Fatal(fmt.Sprint(n))
		}
	}
}

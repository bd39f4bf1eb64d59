package rendition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// TestFilmIsHeldWhereViewersAre seeds a film of which the store holds a tenth. One viewer plays, another has paused.
func TestFilmIsHeldWhereViewersAre(t *testing.T) {
	origin := newCounting(t)
	r := seeding(t, origin.url, 42_500)
	now := time.Now()
	r.merge(origin.film("v", 400), now)
	r.info.Bandwidth = 4000
	player, paused := connect(t, r), connect(t, r)
	announce(t, player, 199)
	drive(t, r, now)
	if got := held(r); !slices.Contains(got, 200) || !slices.Contains(got, 230) || slices.Contains(got, 2) {
		t.Fatalf("with a viewer at 200: %v", got)
	}
	announce(t, paused, 0, 1)
	for n := int64(199); n < 240; n++ {
		announce(t, player, 0, n)
		drive(t, r, now)
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
	if twice := origin.twice(); len(twice) > segmentsNeeded {
		t.Errorf("fetched more than once: %v", twice)
	}
}

// TestClaimsMoveNoFilm has a peer claim to be at another place each second, while another one plays.
func TestClaimsMoveNoFilm(t *testing.T) {
	origin := newCounting(t)
	r := seeding(t, origin.url, 42_500)
	now := time.Now()
	r.merge(origin.film("v", 400), now)
	player, liar := connect(t, r), connect(t, r)
	announce(t, player, 199)
	drive(t, r, now)
	asked := len(origin.order)
	for i := range int64(40) {
		announce(t, liar, (i*37)%190)
		now = now.Add(time.Second)
		drive(t, r, now)
	}
	if n := len(origin.order) - asked; n > historyBurst+historyPerTime*20+1 {
		t.Errorf("forty claims within twenty segments cost %d fetches", n)
	}
	if got := held(r); !slices.Contains(got, 200) || !slices.Contains(got, 215) {
		t.Errorf("what the player needs made room: %v", got)
	}
}

func BenchmarkNewestLoaded(b *testing.B) {
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		b.Fatal(err)
	}
	r := New(b.Context(), newShared(source), manifest.Rendition{Name: "a"})
	r.merge(playlistOf(0, 1800), time.Now())
	ids := make([]int64, 1800)
	for i := range ids {
		ids[i] = int64(i)
	}
	for range 200 {
		announce(b, connect(b, r), ids...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(r.newestLoaded()); n != 200 {
			b.Fatal(fmt.Sprint(n))
		}
	}
}

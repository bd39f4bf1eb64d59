package rendition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// playing are a viewer's renditions without running owners, which share a store of limit bytes.
func playing(t *testing.T, origin *counting, limit int64, start time.Time, names ...string) []*Rendition {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: origin.url + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	shared := newShared(source)
	shared.Store = store.New(limit)
	shared.Playback = playback.New(start)
	var all []*Rendition
	shared.Evicted = func(keys []store.Key) {
		for _, r := range all {
			r.Evicted(keys)
		}
	}
	for _, name := range names {
		all = append(all, New(t.Context(), shared, manifest.Rendition{Name: name, Bandwidth: 4000}))
	}
	t.Cleanup(shared.Work.Wait)
	return all
}

// film is a playlist on demand of n segments of 2 s, whose names begin with prefix.
func (c *counting) film(prefix string, n int64) *manifest.Playlist {
	p := c.playlist(0, n-1)
	p.Live = false
	for i := range p.Segments {
		p.Segments[i].URL = fmt.Sprintf("%s/%s%d", c.url, prefix, i)
	}
	return p
}

// pass lets a viewer's rendition act at now until nothing is on its way.
func pass(t *testing.T, r *Rendition, now time.Time) {
	t.Helper()
	for {
		for _, work := range r.mail.Take() {
			work()
		}
		r.settle(now)
		r.retire(now)
		r.view(now)
		r.report(now)
		if !slices.ContainsFunc(r.segments.order, func(s *segment) bool { return s.state == schedule.Fetching }) {
			return
		}
		select {
		case <-r.mail.Signal():
		case <-time.After(30 * time.Second):
			t.Fatal("a fetch does not end")
		}
	}
}

// TestViewerWithASmallStore plays a film of which less fits into the store than the viewer looks ahead.
func TestViewerWithASmallStore(t *testing.T) {
	const segments = 30
	for name, tracks := range map[string][]string{"video": {"v"}, "video and audio": {"v", "a"}, "bandwidth not known": {"v"}} {
		t.Run(name, func(t *testing.T) {
			origin := newCounting(t)
			start := time.Now()
			all := playing(t, origin, 3500*int64(len(tracks)), start, tracks...)
			now, most := start, segments*len(tracks)
			for i, r := range all {
				if name != "video" { // the other track, or the size, is not known yet when the first segments are fetched
					most += r.shared.Settings.Limits.HTTPSlots
				}
				if name == "bandwidth not known" {
					r.info.Bandwidth = 0
				}
				r.merge(origin.film(tracks[i], segments), now)
			}
			for ; now.Sub(start) < 2*segments*time.Second+time.Second; now = now.Add(100 * time.Millisecond) {
				for _, r := range all {
					pass(t, r, now)
				}
			}
			if st := all[0].shared.Playback.Stats(now); st.Stalls > 0 || st.Played < 2*segments*time.Second {
				t.Errorf("played %s of %d s, %d stalls", st.Played, 2*segments, st.Stalls)
			}
			if n := len(origin.order); n > most {
				t.Errorf("%d fetches, want %d: %v", n, most, origin.twice())
			}
		})
	}
}

// TestPlayersWithASmallStore is the same on demand: the player asks for one segment after the other.
func TestPlayersWithASmallStore(t *testing.T) {
	const segments = 30
	origin := newCounting(t)
	now := time.Now()
	r := playing(t, origin, 6500, now, "v")[0]
	r.shared.Settings.OnDemand, r.playhead = true, nil
	r.shared.Settings.Limits.HTTPAhead = time.Minute
	p := origin.film("v", segments)
	r.merge(p, now)
	position := ondemand.NewPosition(now)
	for i := range segments {
		request := &ondemand.Request{}
		if _, err := r.open(position, request, store.Key(p.Segments[i].Key()), now); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			pass(t, r, now)
			now = now.Add(100 * time.Millisecond)
		}
		if request.Open() {
			t.Fatalf("segment %d did not come", i)
		}
	}
	if n := len(origin.order); n != segments {
		t.Errorf("%d fetches of %d segments: %v", n, segments, origin.twice())
	}
}

package core

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// playing are a viewer's renditions without peers, which share a store of limit bytes, and the playback.
func playing(limit int64, start time.Time, names ...string) ([]*subject, *playback.Clock) {
	clock := playback.New(start)
	var all []*subject
	for _, name := range names {
		r := subjectOf(Config{Alone: true, Bandwidth: 4000}, limit, track{clock, clock.AddTrack(name)})
		if all = append(all, r); len(all) > 1 {
			r.store = all[0].store
		}
		r.d.evicted = func(keys []store.Key) {
			for _, r := range all {
				r.Evicted(keys)
			}
		}
	}
	return all, clock
}

// pass lets a viewer act at now until nothing is on its way.
func pass(r *subject, now time.Time) {
	for {
		r.Settle(now)
		r.Tick(false, now)
		r.Buffered(now)
		if len(r.d.running) == 0 {
			return
		}
		r.deliver(now)
	}
}

// TestViewerWithASmallStore plays a film of which less fits into the store than the viewer looks ahead.
func TestViewerWithASmallStore(t *testing.T) {
	const segments = 30
	for name, tracks := range map[string][]string{"video": {"v"}, "video and audio": {"v", "a"}, "bandwidth not known": {"v"}} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			all, clock := playing(3500*int64(len(tracks)), start, tracks...)
			now, most := start, segments*len(tracks)
			for i, r := range all {
				if name != "video" { // the other track, or the size, is not known yet when the first segments are fetched
					most += r.Config.Limits.HTTPSlots
				}
				if name == "bandwidth not known" {
					r.Config.Bandwidth = 0
				}
				r.Merge(film(tracks[i], segments), now)
			}
			for ; now.Sub(start) < 2*segments*time.Second+time.Second; now = now.Add(100 * time.Millisecond) {
				for _, r := range all {
					pass(r, now)
				}
			}
			if st := clock.Stats(now); st.Stalls > 0 || st.Played < 2*segments*time.Second {
				t.Errorf("played %s of %d s, %d stalls", st.Played, 2*segments, st.Stalls)
			}
			fetches := 0
			for _, r := range all {
				fetches += len(r.d.asked)
			}
			if fetches > most {
				t.Errorf("%d fetches, want %d: %v", fetches, most, all[0].d.twice())
			}
		})
	}
}

// TestPlayersWithASmallStore is the same on demand: the player asks for one segment after the other.
func TestPlayersWithASmallStore(t *testing.T) {
	const segments = 30
	now := time.Now()
	r := subjectOf(Config{OnDemand: true, Alone: true, Bandwidth: 4000, NewReaders: func() Readers { return &waiting{} }}, 6500, nil)
	r.Config.Limits.HTTPAhead = time.Minute
	r.Merge(film("v", segments), now)
	position := ondemand.NewPosition(now)
	for i := range segments {
		seg := r.table.order[i]
		r.Watches(position)
		position.Move(seg.Sequence, seg.Duration, now)
		if !seg.Held() {
			r.Wanted(seg, now)
			seg.Readers.(*waiting).since, seg.Readers.(*waiting).open = now, true
		}
		for range 20 {
			pass(r, now)
			now = now.Add(100 * time.Millisecond)
		}
		if seg.Readers.Len() > 0 {
			t.Fatalf("segment %d did not come", i)
		}
	}
	if n := len(r.d.asked); n != segments {
		t.Errorf("%d fetches of %d segments: %v", n, segments, r.d.twice())
	}
}

// waiting is a player that waits for a segment.
type waiting struct {
	NoReaders
	open  bool
	since time.Time
	err   error // with which it was ended
}

func (w *waiting) Answer(_ []byte, err error) { w.open, w.err = false, err }

func (w *waiting) Len() int {
	if w.open {
		return 1
	}
	return 0
}

func (w *waiting) Waits(yield func(since, dry time.Time)) {
	if w.open {
		yield(w.since, w.since)
	}
}

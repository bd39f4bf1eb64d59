package rendition

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// ring parses a live playlist of six segments from first on, whose names come again after length segments.
func ring(t *testing.T, n *manifest.Numbering, first, length int64) *manifest.Playlist {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for i := range int64(6) {
		fmt.Fprintf(&b, "#EXTINF:2,\n%d.ts\n", (first+i)%length)
	}
	p, err := manifest.ParseMedia([]byte(b.String()), "http://h/v.m3u8", manifest.Rendition{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Segments {
		p.Segments[i].Start = time.Duration(p.Segments[i].Sequence) * 2 * time.Second
	}
	n.Apply(p)
	return p
}

// complete has the origin deliver a segment with these bytes.
func complete(t *testing.T, r *Rendition, seg *segment, text string) {
	t.Helper()
	if !r.transit.Reserve(len(text)) {
		t.Fatal("no room")
	}
	r.completed(seg, []byte(text), traffic.FromHTTP)
}

// TestNamesThatComeAgainAreNewSegments slides over a ring of as many names as are listed, whose files are overwritten.
func TestNamesThatComeAgainAreNewSegments(t *testing.T) {
	r := idle(t, 0, 0)
	numbering := manifest.NewNumbering()
	now := time.Now()
	for first := int64(100); first < 130; first++ {
		r.merge(ring(t, numbering, first, 6), now)
		r.settle(now)
		r.retire(now)
		for n := first; n < first+6; n++ {
			seg := r.segments.bySeq[n]
			if seg == nil || seg.Sequence != n || seg.ID(identity.V23) != n {
				t.Fatalf("at %d segment %d is %+v", first, n, seg)
			}
			if known := n < first+5 && first > 100; seg.held() != known {
				t.Fatalf("at %d segment %d is held: %v", first, n, seg.held())
			}
			if !seg.held() {
				complete(t, r, seg, fmt.Sprintf("bytes of %d", n))
			}
			if data, _ := r.shared.Store.Get(seg.key); string(data) != fmt.Sprintf("bytes of %d", n) {
				t.Fatalf("at %d segment %d has the %q", first, n, data)
			}
		}
		// Peers that still ask for the number that has just left get what it named.
		loaded := r.announceable(identity.V23).loaded
		if first > 100 {
			key, ok := r.index.Held(identity.V23, first-1)
			if data, _ := r.shared.Store.Get(key); !ok || string(data) != fmt.Sprintf("bytes of %d", first-1) {
				t.Fatalf("at %d the segment before has %q", first, data)
			}
		}
		if !slices.IsSorted(loaded) {
			t.Fatalf("at %d announced out of order: %v", first, loaded)
		}
		now = now.Add(2 * time.Second)
	}
	if n := len(r.segments.order); n > 10 || len(r.segments.byKey) != n || r.shared.Store.Stats().Segments != n {
		t.Errorf("%d segments known, %d by key, %d stored", n, len(r.segments.byKey), r.shared.Store.Stats().Segments)
	}
}

// TestTransferOfAnOldNameIsNotTheNewSegment has a fetch end after its name has come again.
func TestTransferOfAnOldNameIsNotTheNewSegment(t *testing.T) {
	r := idle(t, 0, 0)
	numbering := manifest.NewNumbering()
	now := time.Now()
	r.merge(ring(t, numbering, 100, 6), now)
	r.settle(now)
	seg := r.segments.bySeq[100]
	seg.state, seg.stop = schedule.Fetching, func() {}
	attempt := seg.begin(nil)
	r.merge(ring(t, numbering, 101, 6), now)
	r.settle(now)
	if seg.Sequence != 106 || seg.state != schedule.Missing {
		t.Fatalf("segment %d is %v", seg.Sequence, seg.state)
	}
	if !r.transit.Reserve(3) {
		t.Fatal("no room")
	}
	r.fetched(seg, attempt, []byte("old"), 3, nil)
	if seg.held() || r.shared.Store.Has(seg.key) {
		t.Error("the old bytes became the new segment")
	}
}

// TestRenumberedEntriesStay has a playlist number the same entries anew.
func TestRenumberedEntriesStay(t *testing.T) {
	r := idle(t, 0, 0)
	now := time.Now()
	r.merge(playlistOf(10, 4), now)
	r.settle(now)
	for _, seg := range r.segments.order {
		complete(t, r, seg, "x")
	}
	p := playlistOf(10, 4)
	p.Segments = p.Segments[1:]
	for i := range p.Segments {
		p.Segments[i].Sequence-- // no EXT-X-MEDIA-SEQUENCE: the first entry has always the same number
	}
	r.merge(p, now)
	r.settle(now)
	for n := int64(10); n < 13; n++ {
		if seg := r.segments.bySeq[n]; seg == nil || !seg.held() || seg.inPlaylist() == false {
			t.Errorf("segment %d is %+v", n, seg)
		}
	}
}

// TestLoopPlays plays a film in a loop of as many segments as are listed, and a slate.
func TestLoopPlays(t *testing.T) {
	for _, length := range []int64{1, 2, 6, 7} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			r := idle(t, 0, 0)
			clock := playback.New(time.Now())
			r.playhead = &playhead{clock: clock, track: clock.AddTrack("a")}
			numbering := manifest.NewNumbering()
			now := time.Now()
			for first := int64(0); first < 20; first++ {
				r.merge(ring(t, numbering, first, length), now)
				r.settle(now)
				for _, seg := range r.segments.order {
					if seg.inPlaylist() && !seg.held() {
						complete(t, r, seg, "x")
					}
				}
				// From the middle of the second entry, which is where a viewer plays.
				position := time.Duration(first)*2*time.Second + 3*time.Second
				if got, want := r.playableUntil(position), time.Duration(first+6)*2*time.Second; got != want {
					t.Fatalf("at %d: from %v to %v, want %v", first, position, got, want)
				}
				now = now.Add(2 * time.Second)
			}
		})
	}
}

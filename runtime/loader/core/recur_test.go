package core

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
func complete(t *testing.T, r *subject, seg *Segment, text string) {
	t.Helper()
	r.d.transit += len(text)
	r.Complete(seg, []byte(text), true, time.Now())
}

// TestNamesThatComeAgainAreNewSegments slides over a ring of as many names as are listed, whose files are overwritten.
func TestNamesThatComeAgainAreNewSegments(t *testing.T) {
	r := idle(t, 0, 0)
	numbering := manifest.NewNumbering()
	now := time.Now()
	for first := int64(100); first < 130; first++ {
		r.Merge(ring(t, numbering, first, 6), now)
		r.Settle(now)
		r.Retire(now)
		for n := first; n < first+6; n++ {
			seg := r.table.bySeq[n]
			if seg == nil || seg.Sequence != n || seg.ID(identity.V23) != n {
				t.Fatalf("at %d segment %d is %+v", first, n, seg)
			}
			if known := n < first+5 && first > 100; seg.Held() != known {
				t.Fatalf("at %d segment %d is held: %v", first, n, seg.Held())
			}
			if !seg.Held() {
				complete(t, r, seg, fmt.Sprintf("bytes of %d", n))
			}
			if data, _ := r.stored().Get(seg.Key); string(data) != fmt.Sprintf("bytes of %d", n) {
				t.Fatalf("at %d segment %d has the %q", first, n, data)
			}
		}
		// Peers that still ask for the number that has just left get what it named.
		loaded := map[int64]*Segment{}
		var ids []int64
		for _, seg := range r.table.order {
			if r.Announced(seg, identity.V23) == schedule.Loaded {
				id := seg.ID(identity.V23)
				loaded[id], ids = seg, append(ids, id)
			}
		}
		if first > 100 {
			before := loaded[first-1]
			if before == nil {
				t.Fatalf("at %d the segment before is not announced", first)
			}
			if data, _ := r.stored().Get(before.Key); string(data) != fmt.Sprintf("bytes of %d", first-1) {
				t.Fatalf("at %d the segment before has %q", first, data)
			}
		}
		if !slices.IsSorted(ids) {
			t.Fatalf("at %d announced out of order: %v", first, ids)
		}
		now = now.Add(2 * time.Second)
	}
	if n := len(r.table.order); n > 10 || len(r.table.byKey) != n || r.stored().Stats().Segments != n {
		t.Errorf("%d segments known, %d by key, %d stored", n, len(r.table.byKey), r.stored().Stats().Segments)
	}
}

// TestTransferOfAnOldNameIsNotTheNewSegment has a fetch end after its name has come again.
func TestTransferOfAnOldNameIsNotTheNewSegment(t *testing.T) {
	r := idle(t, 0, 0)
	numbering := manifest.NewNumbering()
	now := time.Now()
	r.Merge(ring(t, numbering, 100, 6), now)
	r.Settle(now)
	seg := r.table.bySeq[100]
	r.Fetch(seg, now)
	attempt := seg.Attempt
	r.Merge(ring(t, numbering, 101, 6), now)
	r.Settle(now)
	if seg.Sequence != 106 || seg.State != schedule.Missing {
		t.Fatalf("segment %d is %v", seg.Sequence, seg.State)
	}
	r.d.transit += 3
	r.Fetched(seg, attempt, []byte("old"), 3, Failure{}, now)
	if seg.Held() || r.stored().Has(seg.Key) {
		t.Error("the old bytes became the new segment")
	}
}

// TestRenumberedEntriesStay has a playlist number the same entries anew.
func TestRenumberedEntriesStay(t *testing.T) {
	r := idle(t, 0, 0)
	now := time.Now()
	r.Merge(playlistOf(10, 4), now)
	r.Settle(now)
	for _, seg := range r.table.order {
		complete(t, r, seg, "x")
	}
	p := playlistOf(10, 4)
	p.Segments = p.Segments[1:]
	for i := range p.Segments {
		p.Segments[i].Sequence-- // no EXT-X-MEDIA-SEQUENCE: the first entry has always the same number
	}
	r.Merge(p, now)
	r.Settle(now)
	for n := int64(10); n < 13; n++ {
		if seg := r.table.bySeq[n]; seg == nil || !seg.Held() || seg.InPlaylist() == false {
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
			r.playhead = &playhead{clock: trackOf(clock)}
			numbering := manifest.NewNumbering()
			now := time.Now()
			for first := int64(0); first < 20; first++ {
				r.Merge(ring(t, numbering, first, length), now)
				r.Settle(now)
				for _, seg := range r.table.order {
					if seg.InPlaylist() && !seg.Held() {
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

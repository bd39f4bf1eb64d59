package rendition

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// ofMPD is a rendition without a running owner, with segments first to end of 4 s each of an MPD; ended merges that of its end.
func ofMPD(t *testing.T, first, end int) (r *Rendition, ended func()) {
	t.Helper()
	live := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		kind := `type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT1S"`
		if !live {
			kind = fmt.Sprintf(`type="static" mediaPresentationDuration="PT%dS"`, 4*end)
		}
		_, _ = fmt.Fprintf(w, `<MPD %s><Period start="PT0S"><AdaptationSet contentType="video" mimeType="video/mp4"><SegmentTemplate media="$Time$.m4s">
<SegmentTimeline><S t="%d" d="4" r="%d"/></SegmentTimeline></SegmentTemplate><Representation id="a" bandwidth="1" codecs="avc1.4d4015"/></AdaptationSet></Period></MPD>`, kind, 4*first, end-first-1)
	}))
	t.Cleanup(server.Close)
	source, err := manifest.NewSource(manifest.SourceConfig{URL: server.URL + "/manifest.mpd"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	load := func() *manifest.Playlist {
		p, err := source.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list, err := source.LoadPlaylist(t.Context(), p.Renditions[0])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	shared := newShared(source)
	shared.Settings.Seeder, shared.Settings.Generations = true, identity.Generations()
	r = New(t.Context(), shared, manifest.Rendition{Name: "a"})
	r.core.Merge(load(), time.Now())
	return r, func() {
		live = false
		p := load()
		p.Live = true // as its follower says
		r.core.Merge(p, time.Now())
	}
}

// TestIdsOfAnMPDAreNotDense: what peers are told of the next segment, and what they may know of, is in steps of eight half
// seconds, or of forty tenths of a second.
func TestIdsOfAnMPDAreNotDense(t *testing.T) {
	r, _ := ofMPD(t, 100, 110)
	last := r.core.Segments()[9]
	for g, step := range map[identity.Generation]int64{identity.V22: 8, identity.V23: 8, identity.V3: 40} {
		if !r.update(g, last) || !slices.Equal(r.announcer.last[g].loading, []int64{110 * step}) {
			t.Errorf("%s: %v is announced as on its way, want %d", g, r.announcer.last[g], 110*step)
		}
		for id, want := range map[int64]bool{100 * step: true, 109 * step: true, (109 + 16) * step: true, (109 + 17) * step: false, 100*step - 1: false, 3: false} {
			if got := r.index.Known(g).Contains(id); got != want {
				t.Errorf("%s: id %d is known: %v", g, id, got)
			}
		}
		if got := r.core.ExternalID(last.Sequence, g); got != 109*step {
			t.Errorf("%s: the last segment is %d", g, got)
		}
	}
	if r.core.Segments()[1].Sequence != r.core.Segments()[0].Sequence+1 {
		t.Errorf("numbers %d and %d", r.core.Segments()[0].Sequence, r.core.Segments()[1].Sequence)
	}
}

// TestAnMPDThatEndsKeepsItsIds: unlike in HLS, no number of a segment means another one when the event has ended.
func TestAnMPDThatEndsKeepsItsIds(t *testing.T) {
	r, ended := ofMPD(t, 2, 12)
	before, _ := r.core.IDs(identity.V23)
	ended()
	for _, seg := range r.core.Segments() {
		if !seg.Clear(identity.V23) {
			t.Errorf("segment %d is not shared any more", seg.ID(identity.V23))
		}
	}
	if after, _ := r.core.IDs(identity.V23); !r.core.Playlist().Ended || !slices.Equal(before, after) {
		t.Errorf("ids %v, then %v", before, after)
	}
}

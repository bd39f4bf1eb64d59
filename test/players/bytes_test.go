package players

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"
)

// same holds what the proxy gives against the origin's SHA-256.
func same(t *testing.T, what string, through, origin resource) {
	t.Helper()
	if got, want := sha256.Sum256(through.get(t)), sha256.Sum256(origin.get(t)); got != want {
		t.Errorf("%s differs from the origin's: %x, want %x", what, got, want)
	}
}

// TestVODIsTheOrigins compares every byte of every rendition.
func TestVODIsTheOrigins(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{"fmp4/audio", "ts", "byterange"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			s := startFilm(t, "/vod/seg_2/dur_17/"+shape+"/master.m3u8")
			through, from := readMultivariant(t, s.url), readMultivariant(t, s.Source)
			if len(through) != len(from) || len(from) < 3 {
				t.Fatalf("%d playlists, want %d", len(through), len(from))
			}
			for i := range from {
				got, want := readMedia(t, through[i]), readMedia(t, from[i])
				if !slices.Equal(slices.Sorted(maps.Keys(got.segments)), slices.Sorted(maps.Keys(want.segments))) ||
					len(got.inits) != len(want.inits) || len(want.segments) != 9 {
					t.Fatalf("playlist %s names %d and %d, want %d and %d", from[i], len(got.segments), len(got.inits), len(want.segments), len(want.inits))
				}
				for n := range want.inits {
					same(t, fmt.Sprintf("initialization section %d of %s", n, from[i]), got.inits[n], want.inits[n])
				}
				for n := range want.segments {
					same(t, fmt.Sprintf("segment %d of %s", n, from[i]), got.segments[n], want.segments[n])
				}
			}
			if _, seeder, _ := s.report(t); seeder == 0 {
				t.Error("no byte came from the seeder")
			}
		})
	}
}

// TestLiveIsTheOrigins follows two renditions for half a minute as a player
// would and compares every segment that it sees: ten of each are there, and
// fifteen come.
func TestLiveIsTheOrigins(t *testing.T) {
	t.Parallel()
	s := startStream(t, "/live/seg_2/window_10/fmp4/audio/master.m3u8")
	through, from := readMultivariant(t, s.url), readMultivariant(t, s.Source)
	if len(through) != 4 || len(from) != 4 {
		t.Fatalf("playlists %v", through)
	}
	const want = 2 * (9 + 14)
	seen := map[string]bool{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for began := time.Now(); len(seen) < want || time.Since(began) < 30*time.Second; <-tick.C {
		if time.Since(began) > 90*time.Second {
			t.Fatalf("%d segments were seen in 90 s, want at least %d", len(seen), want)
		}
		for _, i := range []int{0, 3} { // the audio and the largest video
			got := readMedia(t, through[i])
			want := readMedia(t, from[i]) // later, so that it knows all that the proxy can
			// In order, as players do: one that jumps about has nothing in its buffer, and is not made to wait for peers.
			for _, n := range slices.Sorted(maps.Keys(got.segments)) {
				segment, key := got.segments[n], fmt.Sprintf("segment %d of %s", n, from[i])
				if seen[key] {
					continue
				}
				origin, ok := want.segments[n]
				if !ok {
					continue // it has left the window between the two
				}
				seen[key] = true
				same(t, key, segment, origin)
			}
			if got.ended || len(got.inits) != 1 {
				t.Errorf("playlist %s: ended %v, %d initialization sections", from[i], got.ended, len(got.inits))
			}
		}
	}
	if _, seeder, offload := s.report(t); seeder == 0 || offload < 0.8 {
		t.Errorf("offload %.2f", offload)
	}
}

// TestRangesAreTheOrigins asks the proxy for parts of segments.
func TestRangesAreTheOrigins(t *testing.T) {
	t.Parallel()
	s := startFilm(t, "/vod/seg_2/dur_8/ts/master.m3u8")
	through, from := readMultivariant(t, s.url), readMultivariant(t, s.Source)
	got, want := readMedia(t, through[0]), readMedia(t, from[0])
	for n, segment := range got.segments {
		whole := want.segments[n].get(t)
		size := len(whole)
		for _, tt := range []struct {
			span     string
			from, to int // exclusive
		}{
			{"0-0", 0, 1}, {"0-187", 0, 188}, {fmt.Sprintf("%d-", size/2), size / 2, size}, {"-1", size - 1, size}, {"0-", 0, size},
			{fmt.Sprintf("%d-%d", size-10, 2*size), size - 10, size}, {fmt.Sprintf("-%d", 2*size), 0, size},
		} {
			body := resource{segment.url, tt.span}.get(t)
			if !bytes.Equal(body, whole[tt.from:tt.to]) {
				t.Errorf("segment %d, bytes %s: %d bytes, want %d others", n, tt.span, len(body), tt.to-tt.from)
			}
		}
		if status, _ := get(t, segment.url, fmt.Sprintf("Range: bytes=%d-", size)); status != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("a range behind the end: status %d", status)
		}
	}
}

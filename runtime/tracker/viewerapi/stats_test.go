package viewerapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

func TestViewersAreUnknownAfterAStart(t *testing.T) {
	for interval, known := range map[time.Duration]time.Duration{0: 30 * time.Second, 20 * time.Second: time.Minute} {
		r := newRig(t, Config{Interval: interval})
		r.swarms.audience = Audience{ViewerSockets: 2}
		for _, at := range []struct {
			after time.Duration
			want  bool
		}{{0, false}, {known - time.Second, false}, {known, true}, {time.Hour, true}} {
			r.now = r.began.Add(at.after)
			if s := get[Stats](r, stats.Path); s.ViewersKnown != at.want || s.Viewers != 2 {
				t.Errorf("interval %v, after %v: known %v, %d viewers", interval, at.after, s.ViewersKnown, s.Viewers)
			}
		}
	}
}

func TestStatsTellWhoIsBehind(t *testing.T) {
	r := newRig(t, Config{STUN: []string{"stun:a.test:3478", "stun:b.test:3478"}})
	r.stun = []string{"stun:b.test:3478"}
	r.facts.facts.Followed = "720p"
	r.seed() // holds 720p up to 100, and says nothing of the audio
	draining := false
	r.deps.Draining = func() bool { return draining }
	s := get[Stats](r, stats.Path)
	if len(s.Behind) != 0 || s.Renditions[0].LiveEdge == nil || *s.Renditions[0].LiveEdge != 100 || s.Renditions[1].LiveEdge != nil || s.Draining {
		t.Errorf("at the edge: %+v", s)
	}
	if d := cmp.Diff([]stats.STUN{{Server: "stun:a.test:3478"}, {Server: "stun:b.test:3478", Ready: true}}, s.STUN); d != "" {
		t.Error(d)
	}
	draining = true
	r.facts.facts.Playlist.Edge, r.facts.facts.At = 103, r.now.Add(-time.Second)
	r.now = r.now.Add(time.Second)
	s = get[Stats](r, stats.Path)
	if d := cmp.Diff([]stats.Behind{{Seeder: "seeder-0", Rendition: "720p", HeldEdge: 100, LiveEdge: 103}}, s.Behind); d != "" || !s.Draining || !*s.Live {
		t.Errorf("behind: %+v %s", s, d)
	}
}

// TestOnlyOneReaderAccumulates: requests on the public listener never count as readings.
func TestOnlyOneReaderAccumulates(t *testing.T) {
	for _, private := range []bool{false, true} {
		r := newRig(t, Config{PrivateAccumulate: private})
		session := r.session()
		acked := func(sequence, http int64) int64 {
			t.Helper()
			r.now = r.now.Add(5 * time.Second)
			w := r.do("POST", "/v1/telemetry", report(session, sequence, http, 0))
			var ack telemetry.Acknowledgement
			if err := json.Unmarshal(w.Body.Bytes(), &ack); err != nil || w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return ack.Acked.HTTP
		}
		read := func(h http.Handler, path string) Stats {
			t.Helper()
			w := httptest.NewRecorder()
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.Header.Set("Authorization", "Bearer secret")
			h.ServeHTTP(w, req)
			var s Stats
			if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			return s
		}
		var total telemetry.Accumulator
		keep := func(h http.Handler) int64 {
			t.Helper()
			s := read(h, stats.AccumulatePath(total.Kept()))
			return total.Observe(s.Boot, s.Offload.Reading, s.Offload.Totals).HTTP
		}
		acked(1, 1000)
		keep(r)
		want := int64(1000) // only what was stored is acknowledged
		if private {
			want = 2000 // without TotalsKept, and before the first reading
		}
		if got := acked(2, 2000); got != want {
			t.Errorf("private %v: acked %d, want %d", private, got, want)
		}
		// The cache has just been filled: the accumulating reader still gets what is marked as read.
		read(r, stats.Path)
		acked(3, 3000)
		r.now = r.now.Add(-5 * time.Second) // back within the cache's time
		if got := keep(r.StatsHandler()); got != 3000 {
			t.Errorf("private %v: accumulated %d of 3000", private, got)
		}
		keep(r.StatsHandler()) // which confirms the previous reading
		r.now = r.now.Add(5 * time.Second)
		if got := acked(4, 4000); got != 3000 {
			t.Errorf("private %v: acked %d, want 3000", private, got)
		}
		w := httptest.NewRecorder()
		r.StatsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, stats.Path+"?accumulate=1&kept=much", nil))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "READING:BOOT") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestStatsShowNoSecret(t *testing.T) {
	r := newRig(t, Config{StreamURL: "https://user:secret@origin.test/live.m3u8?token=secret"})
	if s := get[Stats](r, stats.Path); s.StreamURL != "https://origin.test/live.m3u8" || s.Stream != s.StreamURL {
		t.Errorf("%q of stream %q", s.StreamURL, s.Stream)
	}
}

// TestStatsAreWhatReadersDecode holds the answer to the package that readers use.
func TestStatsAreWhatReadersDecode(t *testing.T) {
	r := newRig(t, Config{})
	r.seed()
	w := r.do("GET", stats.Path, "")
	s, err := stats.Decode(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Boot == r.Boot(), len(s.Renditions), len(s.SeederStates), s.Seeders); got != "true 2 1 1" {
		t.Error(got)
	}
}

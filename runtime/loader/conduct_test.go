package loader

import (
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// still is a rendition that nothing runs in, with segments from first on.
func still(t *testing.T, first int64, n int) *rendition {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{Source: source}, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r := newRendition(t.Context(), e, manifest.Rendition{Name: "a"})
	r.merge(playlistOf(first, n), time.Now())
	return r
}

func playlistOf(first int64, n int) *manifest.Playlist {
	p := &manifest.Playlist{Live: true, TargetDuration: 4 * time.Second, MediaSequence: first}
	for i := range n {
		p.Segments = append(p.Segments, manifest.Segment{Sequence: first + int64(i), URL: "http://h/" + strconv.FormatInt(first+int64(i), 10), Duration: 4 * time.Second})
	}
	return p
}

// stranger is a session without a connection; closing it is not tested here.
func stranger(r *rendition) *session {
	return &session{r: r, generation: identity.V23, commands: rate.NewLimiter(rate.Inf, 1), stray: rate.NewLimiter(rate.Inf, 1)}
}

func TestPeersThatDoNotDeliverAreShunned(t *testing.T) {
	r := still(t, 100, 4)
	s := stranger(r)
	now := time.Now()
	for i, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
		want := time.Duration(seconds) * time.Second
		s.blame(now)
		if got := s.shunned.Sub(now); got != want {
			t.Errorf("failure %d: shunned for %v, want %v", i+1, got, want)
		}
		if s.believed(now) || !s.believed(now.Add(want)) {
			t.Errorf("failure %d: believed too soon or too late", i+1)
		}
	}
	s.praise()
	if s.failures != 3 || !s.believed(now) {
		t.Errorf("%d failures after a success", s.failures)
	}
	if got := r.e.counters.PeersBlamed.Load(); got != 7 {
		t.Errorf("%d counted", got)
	}
}

// TestClaimsGrowOld has a peer say that it fetches a segment, take that back, and say it again.
func TestClaimsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := still(t, 100, 4)
		s := stranger(r)
		announce := func(ids ...int64) { s.announcement(wire.Command{Loading: ids}, time.Now()) }
		holding := func(id int64) schedule.Holding { return s.announced.Load().holding(id, time.Now().Add(-leastLoading)) }
		announce(101, 102)
		if holding(101) != schedule.Loading {
			t.Error("a new claim is not believed")
		}
		time.Sleep(leastLoading / 2)
		announce()
		announce(101, 103)
		time.Sleep(leastLoading/2 + time.Second)
		if holding(101) != schedule.Absent {
			t.Error("a claim is believed for ever if it is renewed")
		}
		if holding(103) != schedule.Loading {
			t.Error("a later claim is not believed")
		}
		r.merge(playlistOf(200, 4), time.Now())
		for range 10 {
			r.segments = r.segments[len(r.segments)-4:]
		}
		r.index.Learn(identity.V23, r.ids(identity.V23))
		announce(201)
		if len(s.claims) != 1 {
			t.Errorf("%d claims are remembered, of which one is in the playlist", len(s.claims))
		}
	})
}

// TestWhatLeftThePlaylistIsBounded loads a playlist that is another one each time.
func TestWhatLeftThePlaylistIsBounded(t *testing.T) {
	r := still(t, 0, 500)
	for i := range int64(50) {
		r.merge(playlistOf(i*1000, 500), time.Now())
		r.retire(time.Now())
		if n := len(r.segments); n > 500+leastRetired || len(r.byKey) != n || len(r.bySeq) != n || r.e.segments.Load() != int64(n) {
			t.Fatalf("load %d: %d segments known, %d by key, %d by number, %d counted", i, n, len(r.byKey), len(r.bySeq), r.e.segments.Load())
		}
	}
	if !r.fits(MaxSegments) || r.fits(MaxSegments+1) {
		t.Error("the sum of segments has another bound")
	}
	r.end()
	if r.e.segments.Load() != 0 {
		t.Errorf("%d segments of a rendition that has ended", r.e.segments.Load())
	}
}

// TestContradictionsShareNoBytes has two sources say different things of one segment.
func TestContradictionsShareNoBytes(t *testing.T) {
	r := still(t, 100, 4)
	seg := r.segments[0]
	fresh := func(n int) []byte {
		if !r.transit.Reserve(n) {
			t.Fatal("no room")
		}
		return make([]byte, n)
	}
	r.keep(seg, fresh(10), 100)
	if len(seg.partial) != 10 || seg.claimed != 100 {
		t.Fatalf("%d of %d bytes kept", len(seg.partial), seg.claimed)
	}
	r.keep(seg, append(seg.partial, fresh(5)...), 200)
	if len(seg.partial) != 0 || seg.claimed != -1 {
		t.Errorf("%d of %d bytes kept of what contradicts", len(seg.partial), seg.claimed)
	}
	r.keep(seg, fresh(10), 100)
	r.completed(seg, append(seg.partial, fresh(40)...), traffic.FromHTTP)
	if seg.held() || r.e.store.Has(seg.key) {
		t.Error("50 bytes made a segment of 100")
	}
	r.completed(seg, fresh(50), traffic.FromHTTP)
	if !seg.held() {
		t.Error("the origin's own 50 bytes were not taken")
	}
	if used, _, _ := r.e.transit.Stats(); used != 0 {
		t.Errorf("%d bytes are still on their way", used)
	}
	if got := r.e.store.Stats(); got.Segments != 1 || got.Bytes != 50 {
		t.Errorf("%+v", got)
	}
}

// TestAnOriginThatFailsIsLetBe has a seeder's origin fail for one segment after the other.
func TestAnOriginThatFailsIsLetBe(t *testing.T) {
	r := still(t, 0, 100)
	now := time.Now()
	for i, seg := range r.segments[:rowOfFailures] {
		if r.resting(now) {
			t.Fatalf("after %d failures", i)
		}
		r.failed(seg, now)
	}
	if !r.resting(now) || r.resting(now.Add(noTransitPause)) {
		t.Error("no pause, or too long a one")
	}
	for _, seg := range r.segments[rowOfFailures:] {
		r.failed(seg, now)
	}
	if !r.resting(now.Add(longestRest-1)) || r.resting(now.Add(longestRest)) {
		t.Error("the longest pause is another")
	}
	if !r.transit.Reserve(1) {
		t.Fatal("no room")
	}
	r.completed(r.segments[0], []byte("x"), traffic.FromHTTP)
	if r.resting(now) {
		t.Error("a success does not end it")
	}
}

func TestRenditionsAreBounded(t *testing.T) {
	r := still(t, 0, 1)
	var all []manifest.Rendition
	for i := range 1000 {
		one := manifest.Rendition{}
		if i%2 == 0 {
			one.URI = "http://h/" + strconv.Itoa(i)
		}
		all = append(all, one)
	}
	kept := r.e.bounded(all)
	if len(kept) != MaxRenditions || kept[1].URI != "http://h/2" {
		t.Errorf("%d kept", len(kept))
	}
}

// TestALengthAloneTakesNoMemory has an origin claim much and send little.
func TestALengthAloneTakesNoMemory(t *testing.T) {
	f := newFilm(t)
	f.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/s.ts" {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(60<<20))
		_, _ = io.WriteString(w, "little")
		return true
	})
	source, err := manifest.NewSource(manifest.SourceConfig{URL: f.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	r := still(t, 0, 1)
	r.e.cfg.Source = source
	room := 0
	data, total, err := r.download(t.Context(), manifest.Segment{URL: f.URL + "/s.ts"}, nil, -1, func(data []byte, _ int64) { room = max(room, cap(data)) })
	if manifest.ReasonOf(err) != manifest.ReasonTruncated || string(data) != "little" || total != 60<<20 || room > 2*eagerOrigin {
		t.Errorf("%d bytes of %d in room for %d, %v", len(data), total, room, err)
	}
	if used, _, _ := r.e.transit.Stats(); used != int64(len(data)) {
		t.Errorf("%d bytes are counted", used)
	}
}

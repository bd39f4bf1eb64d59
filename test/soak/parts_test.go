package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

func TestMetricsFillColumns(t *testing.T) {
	t.Parallel()
	row := samples.NewRow(0, "tracker", 1)
	metrics, err := lab.ParseMetrics([]byte(`# HELP go_goroutines Number of goroutines.
# TYPE go_goroutines gauge
go_goroutines 31
p2pstream_tracker_peers{role="seeder"} 6
p2pstream_tracker_peers{role="viewer"} 12
p2pstream_viewer_received_bytes_total{source="http"} 1.5e+06
p2pstream_viewer_received_bytes_total{source="other"} 7
go_memstats_heap_inuse_bytes 1.2e+07
something_else 3
`))
	if err != nil {
		t.Fatal(err)
	}
	fill(&row, metrics)
	for c, want := range map[samples.Column]float64{samples.Goroutines: 31, samples.Peers: 18, samples.HTTP: 1.5e6, samples.Heap: 1.2e7} {
		if row.Values[c] != want {
			t.Errorf("%s is %v, want %v", c, row.Values[c], want)
		}
	}
	if !math.IsNaN(row.Values[samples.Seeder]) {
		t.Error("a figure from nowhere")
	}
	if _, err := lab.ParseMetrics([]byte("go_goroutines many\n")); err == nil {
		t.Error("what is no number is accepted as one")
	}
}

func TestReportComesBack(t *testing.T) {
	t.Parallel()
	want := viewer.Result{StartupMs: -1, Stalls: 2, StallMs: 3, PlayedMs: 4, Bytes: viewer.Bytes{HTTP: 5, Seeder: 6, Viewer: 7}}
	if got, err := parseReport(reportText(want)); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := parseReport("nothing"); err == nil {
		t.Error("nothing is a report")
	}
}

func TestPlanFor(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{20 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 2 * time.Hour} {
		p, err := planFor(length)
		if err != nil {
			t.Fatal(err)
		}
		// The tracker comes back in the first quarter, and a seeder ends by SIGTERM and by SIGKILL.
		if p.TrackerOnce >= length/4 || 2*(p.SeederEach+p.SeederDown) >= length || p.Settle < 5*p.Every || p.Crowd+p.Players < 2 {
			t.Errorf("%s: %+v", length, p)
		}
		if length < 2*time.Minute && length+p.Settle+p.Quiet > 75*time.Second {
			t.Errorf("%s takes longer than a test may", length)
		}
	}
	if _, err := planFor(time.Second); err == nil {
		t.Error("a second is long enough")
	}
	s := span{time.Second, 3 * time.Second}
	for range 1000 {
		if d := s.draw(rand.New(rand.NewPCG(1, 2))); d < s.Min || d > s.Max {
			t.Errorf("%s is outside %v", d, s)
		}
	}
}

// live is an origin with a sliding playlist that a test moves.
type live struct {
	mu    sync.Mutex
	first int64
	got   map[string]int
	fails int // segment requests to come that fail
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got[r.URL.Path]++
	switch {
	case r.URL.Path == "/master.m3u8":
		_, _ = fmt.Fprint(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na/i.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb/i.m3u8\n")
	case strings.HasSuffix(r.URL.Path, ".m3u8"):
		_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", l.first)
		for i := range int64(5) {
			_, _ = fmt.Fprintf(w, "#EXTINF:1.0,\n%d.ts\n", l.first+i)
		}
	case l.fails > 0:
		l.fails--
		http.Error(w, "no", http.StatusBadGateway)
	default:
		_, _ = fmt.Fprint(w, "media")
	}
}

func (l *live) count(path string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.got[path]
}

func TestPlayerChangesRendition(t *testing.T) {
	t.Parallel()
	l := &live{first: 100, got: map[string]int{}, fails: 1}
	server := httptest.NewServer(l)
	defer server.Close()
	changes := make(chan string, 100)
	p := newPlayer(strings.TrimPrefix(server.URL, "http://"), span{time.Millisecond, time.Millisecond}, rand.New(rand.NewPCG(1, 2)),
		func(what, how string) {
			if what == samples.Switch {
				changes <- how
			}
		})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { p.run(ctx) })
	deadline, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	first, second := "", ""
	for _, c := range []*string{&first, &second} {
		select {
		case *c = <-changes:
		case <-deadline.Done():
			t.Fatal("no change of rendition")
		}
	}
	if first == second || !strings.Contains(first+second, "1 of 2") {
		t.Errorf("%q, then %q", first, second)
	}
	cancel()
	work.Wait()
}

func TestPlayerFollowsTheEdge(t *testing.T) {
	t.Parallel()
	l := &live{first: 100, got: map[string]int{}, fails: 1}
	server := httptest.NewServer(l)
	defer server.Close()
	reported := make(chan string, 100)
	p := newPlayer(strings.TrimPrefix(server.URL, "http://"), span{time.Hour, time.Hour}, rand.New(rand.NewPCG(1, 2)), func(_, what string) { reported <- what })
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { p.run(ctx) })
	await := func(what string, holds func() bool) {
		t.Helper()
		if err := lab.Wait(ctx, 20*time.Second, what, holds); err != nil {
			t.Errorf("%v: %v", err, l.got)
		}
	}
	await("segments up to the edge", func() bool { return p.segments.Load() == 3 })
	l.mu.Lock()
	l.first += 2
	l.mu.Unlock()
	await("segments that came since", func() bool { return p.segments.Load() == 5 })
	// Nothing new for longer than the buffer lasts: the next segment comes too late.
	await("stall", func() bool {
		l.mu.Lock()
		if l.got["/a/i.m3u8"]+l.got["/b/i.m3u8"] > 14 {
			l.first++
			l.got = map[string]int{}
		}
		l.mu.Unlock()
		return p.stalls.Load() > 0
	})
	cancel()
	work.Wait()
	if what := <-reported; !strings.Contains(what, ".ts: 502 Bad Gateway: no") {
		t.Errorf("%q is reported of what failed", what)
	}
	if p.errors.Load() != 1 || l.count("/a/101.ts")+l.count("/b/101.ts") > 0 {
		t.Errorf("%d errors; asked for %v", p.errors.Load(), l.got)
	}
}

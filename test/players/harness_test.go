package players

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/stun"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
	"github.com/p2pstream/p2pstream/runtime/viewer/join"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
)

// TestMain runs all tests at a time, since most of them wait, and looks for
// goroutines that the programs left behind. Only the kept-alive connections of
// the shared HTTP client are closed first: they are nobody's.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "goroutines left behind: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

const (
	token = "players-test-token"
	swarm = "players-test"
)

// logger prints what the programs say when P2PSTREAM_TEST_LOG is set.
func logger(name string) *slog.Logger {
	if os.Getenv("P2PSTREAM_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("program", name)
}

type program interface {
	Run(context.Context) error
	Ready() <-chan struct{}
}

// start runs a program until the returned stop is called, or the test ends.
func start(t *testing.T, p program) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	select {
	case <-p.Ready():
	case err := <-done:
		cancel()
		t.Fatalf("%T ended before it was ready: %v", p, err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("running %T: %v", p, err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// alone is held by whoever keeps the processor busy: films are fetched as fast
// as it goes. Live streams, which are judged by time, go on beside it.
var alone sync.Mutex

// film is newStream for a test that fetches a whole film, one at a time.
func film(t *testing.T, path string) *stream {
	t.Helper()
	alone.Lock()
	t.Cleanup(alone.Unlock)
	return newStream(t, path)
}

// stream is one stream's programs, and a proxy to play it through.
type stream struct {
	origin      *origin.Server
	tracker     *tracker.Server
	proxy       *proxy.Server
	source      string // the origin's multivariant playlist
	url         string // the proxy's
	stopTracker func()
	stopSeeder  func()
	stopProxy   func()
}

// newStream starts everything for the stream at path; the seeder holds it when
// it returns.
func newStream(t *testing.T, path string) *stream {
	t.Helper()
	s := &stream{}
	s.origin = must[*origin.Server](t)(origin.New(origin.Config{Listen: "127.0.0.1:0"}, logger("origin"), nil))
	start(t, s.origin)
	s.source = "http://" + s.origin.Addr().String() + path
	st := must[*stun.Server](t)(stun.New(stun.Config{Listen: "127.0.0.1:0"}, logger("stun"), nil))
	start(t, st)
	s.tracker = must[*tracker.Server](t)(tracker.New(tracker.Config{
		Listen: "127.0.0.1:0", SeederToken: token, SessionKey: "0123456789abcdef0123456789abcdef",
		DrainPeriod: tracker.Duration(time.Millisecond),
		Stream: &tracker.StreamConfig{
			SourceURL: s.source, SwarmID: swarm, STUN: []string{"stun:" + st.Addr().String()},
			TelemetryInterval: tracker.Duration(time.Second),
		},
	}, logger("tracker"), nil))
	s.stopTracker = start(t, s.tracker)
	sd := must[*seeder.Server](t)(seeder.New(seeder.Config{
		Source: s.source, SwarmID: swarm, Trackers: []string{"ws://" + s.tracker.Addr().String() + "/announce"},
		Token: token, Loopback: true, ICEListen: "127.0.0.1:0",
		ReportInterval: duration.Duration(time.Second), Drain: duration.Duration(time.Millisecond),
	}, logger("seeder"), nil))
	s.stopSeeder = start(t, sd)
	eventually(t, "the tracker to know that a seeder holds the stream", func() bool { return s.stats(t).SeedersHold })
	eventually(t, "the seeder to hold all of it", func() bool {
		for _, r := range sd.Engine().Status().Renditions {
			if r.Known == 0 || r.Held < r.Known {
				return false
			}
		}
		return true
	})
	s.proxy = must[*proxy.Server](t)(proxy.New(proxy.Config{
		Config:  join.Config{ConfigURL: "http://" + s.tracker.Addr().String() + "/v1/config", Loopback: true},
		Options: proxy.Options{Listen: "127.0.0.1:0"},
	}, logger("proxy"), nil))
	s.stopProxy = start(t, s.proxy)
	s.url = s.proxy.URL()
	eventually(t, "the proxy to have met the seeder", func() bool { e := s.proxy.Engine(); return e != nil && e.Peers() > 0 })
	return s
}

func (s *stream) stats(t *testing.T) viewerapi.Stats {
	t.Helper()
	status, body := get(t, "http://"+s.tracker.Addr().String()+"/v1/stats")
	var st viewerapi.Stats
	if err := json.Unmarshal(body, &st); err != nil || status != http.StatusOK {
		t.Fatalf("stats: %d, %v\n%s", status, err, body)
	}
	return st
}

// get asks for a URL with headers, "Name: value".
func get(t *testing.T, url string, headers ...string) (status int, body []byte) {
	t.Helper()
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp := must[*http.Response](t)(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, must[[]byte](t)(io.ReadAll(resp.Body))
}

// eventually waits for a condition, long enough for a busy machine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	const within = 60 * time.Second
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s for %s", within, what)
		case <-tick.C:
		}
	}
}

// ff runs ffmpeg or ffprobe and returns what it printed. One word of complaint
// fails the test, and so does a program that is not there.
func ff(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; run scripts/install-deps.sh: %v", name, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"-v", "error"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// ffmpeg plays with one thread, so that many of them can.
func ffmpeg(t *testing.T, args ...string) string {
	t.Helper()
	return ff(t, "ffmpeg", append([]string{"-nostdin", "-threads", "1"}, args...)...)
}

// report logs what the proxy received and returns it.
func (s *stream) report(t *testing.T) (http, seeder int64, offload float64) {
	t.Helper()
	r := s.proxy.Snapshot()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", line)
	return r.Total.Bytes.HTTP, r.Total.Bytes.Seeder, r.Total.Offload
}

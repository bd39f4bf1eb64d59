package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/stun"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// TestMain looks for goroutines that the programs left behind. Only the kept-alive connections of the shared HTTP
// client are closed first: they are nobody's.
func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "goroutines left behind: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

const token = "peers-test-token"

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
func start(t testing.TB, p program) (stop func()) {
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

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// setup is one stream's programs.
type setup struct {
	origin      *origin.Server
	stopOrigin  func()
	address     string // of the origin
	tracker     *tracker.Server
	stopTracker func()
	source      string // manifest URL
}

// newSetup starts an origin and a tracker for the stream at path.
func newSetup(t testing.TB, path string) *setup {
	t.Helper()
	s := &setup{address: "127.0.0.1:0"}
	s.startOrigin(t)
	s.address = s.origin.Addr().String()
	s.source = "http://" + s.origin.Addr().String() + path
	st := must[*stun.Server](t)(stun.New(stun.Config{Listen: "127.0.0.1:0"}, logger("stun"), nil))
	start(t, st)
	s.startTracker(t, "127.0.0.1:0", "stun:"+st.Addr().String())
	return s
}

func (s *setup) startOrigin(t testing.TB) {
	t.Helper()
	s.origin = must[*origin.Server](t)(origin.New(origin.Config{Listen: s.address}, logger("origin"), nil))
	s.stopOrigin = start(t, s.origin)
}

func (s *setup) startTracker(t testing.TB, listen string, servers ...string) {
	t.Helper()
	s.tracker = must[*tracker.Server](t)(tracker.New(tracker.Config{
		Listen: listen, SeederToken: token, SessionKey: "0123456789abcdef0123456789abcdef",
		DrainPeriod: tracker.Duration(time.Millisecond),
		Stream: &tracker.StreamConfig{
			SourceURL: s.source, SwarmID: "peers-test", STUN: servers,
			TelemetryInterval: tracker.Duration(time.Second),
		},
	}, logger("tracker"), nil))
	s.stopTracker = start(t, s.tracker)
}

func (s *setup) http(path string) string { return "http://" + s.tracker.Addr().String() + path }

func (s *setup) seeder(t testing.TB, change func(*seeder.Config)) (*seeder.Server, func()) {
	t.Helper()
	cfg := seeder.Config{
		Source: s.source, SwarmID: "peers-test", Trackers: []string{"ws://" + s.tracker.Addr().String() + "/announce"},
		Token: token, Loopback: true, ICEListen: "127.0.0.1:0",
		ReportInterval: duration.Duration(time.Second), Drain: duration.Duration(time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	sd := must[*seeder.Server](t)(seeder.New(cfg, logger("seeder"), nil))
	return sd, start(t, sd)
}

// waitSeeded waits until the seeder holds everything and the tracker knows it.
func (s *setup) waitSeeded(t testing.TB) {
	t.Helper()
	eventually(t, 20*time.Second, "the tracker to know that a seeder holds the stream", func() bool {
		return s.stats(t).SeedersHold
	})
}

// joining lets one audience join at a time, over all tests that run beside each other: two processors cannot connect two
// as they would connect one.
var joining sync.Mutex

// viewers starts an audience, and waits until all play.
func (s *setup) viewers(t testing.TB, change func(*viewer.Config)) (*viewer.Server, func()) {
	t.Helper()
	joining.Lock()
	defer joining.Unlock()
	cfg := viewer.Config{
		ConfigURL: s.http("/v1/config"), Loopback: true, Verify: true,
		JoinInterval: duration.Duration(100 * time.Millisecond),
		// What is asked here is whose bytes they are. How soon a first peer is there says a benchmark: with the race
		// detector, on processors that do other things, it takes longer than viewers would wait.
		StartupWait: duration.Duration(5 * time.Second),
	}
	if change != nil {
		change(&cfg)
	}
	v := must[*viewer.Server](t)(viewer.New(cfg, logger("viewer"), nil))
	stop := start(t, v)
	played(t, v, time.Second)
	return v, stop
}

func (s *setup) stats(t testing.TB) viewerapi.Stats {
	t.Helper()
	return s.get(t, "/v1/stats")
}

// accumulate reads the stats as whoever keeps totals over restarts does.
func (s *setup) accumulate(t testing.TB, total *telemetry.Accumulator) telemetry.Counters {
	t.Helper()
	st := s.get(t, stats.AccumulatePath(total.Kept()))
	return total.Observe(st.Boot, st.Offload.Reading, st.Offload.Totals)
}

func (s *setup) get(t testing.TB, path string) viewerapi.Stats {
	t.Helper()
	resp := must[*http.Response](t)(http.Get(s.http(path)))
	defer func() { _ = resp.Body.Close() }()
	body := must[[]byte](t)(io.ReadAll(resp.Body))
	var st viewerapi.Stats
	if err := json.Unmarshal(body, &st); err != nil {
		t.Fatalf("decoding stats: %v\n%s", err, body)
	}
	return st
}

// eventually waits for a condition.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
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

func dump(t testing.TB, r viewer.Report) {
	t.Helper()
	b, _ := json.Marshal(r) // a struct of numbers
	t.Logf("%s", b)
}

package foreign

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/foreign/ghost"
	"github.com/p2pstream/p2pstream/test/lab"
)

// TestMain looks for goroutines that the programs left behind. Only the kept-alive connections of the shared HTTP
// client are closed first: they are nobody's.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // as the seeder program does: many connections, little garbage that lasts
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "goroutines left behind: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

const swarmID = "foreign-test"

// endTime is far above what programs need to end, the wait for answers to their last offers included.
const endTime = 40 * time.Second

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

// run runs a program until the returned stop is called, or the test ends.
func run(t testing.TB, p program) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("running %T: %v", p, err)
			}
		case <-time.After(endTime):
			t.Errorf("%T did not end within %s", p, endTime)
		}
	})
	t.Cleanup(stop)
	select {
	case <-p.Ready():
	case <-time.After(time.Minute):
		t.Fatalf("%T is not ready", p)
	}
	return stop
}

// audience is one stream: its origin, a seeder, and groups of viewers who meet at given trackers.
type audience struct {
	t        testing.TB
	source   string
	trackers []string
	origin   *origin.Server
	seeded   *prometheus.Registry // of the seeder
	groups   []*group
	before   viewer.Bytes // what was received until the mark
	leaving  sync.WaitGroup
}

// group is some viewers of one kind.
type group struct {
	*viewer.Server
	name string
	reg  *prometheus.Registry
	stop func()
	left bool
}

// The stream has its audio apart and two renditions, each a swarm.
const streamPath = "/live/seg_2/window_10/fmp4/audio/ren_2/master.m3u8"

// newAudience starts the origin and a seeder, and waits until the seeder holds the stream.
func newAudience(t testing.TB, change func(*seeder.Config), trackers ...string) *audience {
	t.Helper()
	a := &audience{t: t, trackers: trackers, seeded: prometheus.NewRegistry()}
	a.origin = lab.Must[*origin.Server](t)(origin.New(origin.Config{Listen: "127.0.0.1:0"}, logger("origin"), nil))
	run(t, a.origin)
	a.source = "http://" + a.origin.Addr().String() + streamPath
	cfg := seeder.Config{
		Source: a.source, SwarmID: swarmID, Trackers: trackers, Loopback: true, ICEListen: "127.0.0.1:0",
		ReportInterval: duration.Duration(time.Hour), Drain: duration.Duration(time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	sd := lab.Must[*seeder.Server](t)(seeder.New(cfg, logger("seeder"), a.seeded))
	run(t, sd)
	lab.Eventually(t, 30*time.Second, "the seeder to hold the stream", func() bool {
		renditions := sd.Engine().Status().Renditions
		for _, r := range renditions {
			if r.Error != "" || r.Held < r.Known || r.Known == 0 {
				return false
			}
		}
		return len(renditions) > 0
	})
	return a
}

// join starts a group of viewers.
func (a *audience) join(name string, count int, change func(*viewer.Config)) *group {
	a.t.Helper()
	cfg := viewer.Config{
		Source: a.source, SwarmID: swarmID, Trackers: a.trackers, Count: count, Verify: true, Loopback: true,
		JoinInterval: duration.Duration(250 * time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	g := &group{name: name, reg: prometheus.NewRegistry()}
	g.Server = lab.Must[*viewer.Server](a.t)(viewer.New(cfg, logger(name), g.reg))
	g.stop = run(a.t, g)
	a.groups = append(a.groups, g)
	return g
}

// leave ends a group in the background; what it received still counts.
func (a *audience) leave(g *group) {
	g.left = true
	a.leaving.Go(g.stop)
}

// stay is how long those play who pass by.
const stay = 3 * time.Second

// churn lets pairs of viewers come, play for a moment and leave, for so long.
func (a *audience) churn(span time.Duration, change func(*viewer.Config)) {
	a.t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); {
		g := a.join("passers-by", 2, change)
		a.played(stay, g)
		a.leave(g)
	}
	a.leaving.Wait()
}

// played waits until every viewer that is still there has played for a while.
func (a *audience) played(media time.Duration, groups ...*group) {
	a.t.Helper()
	if len(groups) == 0 {
		groups = a.groups
	}
	lab.Eventually(a.t, media+60*time.Second, "viewers to play "+media.String(), func() bool {
		for _, g := range groups {
			if g.left {
				continue
			}
			for _, one := range g.Snapshot().Viewers {
				if one.PlayedMs < media.Milliseconds() {
					return false
				}
			}
		}
		return true
	})
}

// The start, which check does not judge, since who finds no peer at its first segments has to ask the origin: until
// everybody has played for settle and has so many peers, over all of its swarms.
const (
	settle       = 4 * time.Second
	settledPeers = 8
)

// mark begins what check judges, which is everything after the start.
func (a *audience) mark() {
	a.t.Helper()
	began := time.Now()
	a.played(settle)
	lab.Eventually(a.t, 30*time.Second, "everybody to meet others", func() bool {
		for _, g := range a.groups {
			for _, one := range g.Snapshot().Viewers {
				if one.Peers < settledPeers {
					return false
				}
			}
		}
		return true
	})
	a.before = a.received()
	a.t.Logf("the start took %s", time.Since(began).Round(time.Millisecond))
}

func (a *audience) received() (sum viewer.Bytes) {
	for _, g := range a.groups {
		b := g.Snapshot().Total.Bytes
		sum.HTTP += b.HTTP
		sum.Seeder += b.Seeder
		sum.Viewer += b.Viewer
	}
	return sum
}

// check requires that nobody was harmed, and that nine bytes in ten came from peers since the mark.
func (a *audience) check() {
	a.t.Helper()
	a.unharmed()
	a.offloaded()
}

func (a *audience) offloaded() {
	a.t.Helper()
	now := a.received()
	got := viewer.Bytes{HTTP: now.HTTP - a.before.HTTP, Seeder: now.Seeder - a.before.Seeder, Viewer: now.Viewer - a.before.Viewer}
	offload := 1 - float64(got.HTTP)/float64(got.HTTP+got.Seeder+got.Viewer)
	a.t.Logf("offload %.3f: http %d, seeder %d, viewers %d bytes; before %+v", offload, got.HTTP, got.Seeder, got.Viewer, a.before)
	if !(offload >= 0.9) {
		a.t.Errorf("offload %.3f, want at least 0.9", offload)
	}
}

// unharmed requires that nobody stalled or got a wrong byte, ever.
func (a *audience) unharmed() {
	a.t.Helper()
	for _, g := range a.groups {
		r := g.Snapshot()
		if r.Total.Stalls != 0 || r.Total.DigestErrors != 0 {
			b, _ := json.Marshal(r) // a struct of numbers
			a.t.Errorf("%s: %d stalls, %d digest errors: %s", g.name, r.Total.Stalls, r.Total.DigestErrors, b)
		}
		for _, one := range r.Viewers {
			if one.StartupMs < 0 || one.Verified == 0 {
				a.t.Errorf("%s: viewer %d did not play", g.name, one.ID)
			}
		}
	}
}

// sum adds up a metric of the mesh over registries: all series whose labels contain the given text.
func sum(t testing.TB, name, label string, regs ...*prometheus.Registry) (total float64) {
	t.Helper()
	for _, reg := range regs {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() != "p2pstream_mesh_"+name {
				continue
			}
			for _, m := range f.GetMetric() {
				if label == "" || strings.Contains(m.String(), `"`+label+`"`) {
					total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return total
}

// registries are those of the given groups; of all without any.
func (a *audience) registries(groups ...*group) (regs []*prometheus.Registry) {
	if len(groups) == 0 {
		groups = a.groups
	}
	for _, g := range groups {
		regs = append(regs, g.reg)
	}
	return regs
}

// The twenty who stay: ten watch the first rendition, eight another, two hold all of them.
const (
	residents    = 20
	memberships  = 10*2 + 8*2 + 2*3 // each with the audio
	seederSwarms = 3 * 2            // two generations
)

func (a *audience) residents(change func(*viewer.Config)) {
	a.t.Helper()
	with := func(names ...string) func(*viewer.Config) {
		return func(c *viewer.Config) {
			c.Renditions = names
			if change != nil {
				change(c)
			}
		}
	}
	a.join("low", 10, with())
	a.join("high", 8, with("360p", "audio-en"))
	a.join("all", 2, with(viewer.AllRenditions))
}

// swarms are those that the tracker knows, once the seeder is in all of its own.
func swarms(t testing.TB, tracker string) []signaling.ID {
	t.Helper()
	var members map[signaling.ID]int
	lab.Eventually(t, 20*time.Second, "the seeder to be in its swarms", func() bool {
		members = lab.Must[map[signaling.ID]int](t)(ghost.Scrape(tracker))
		return len(members) == seederSwarms
	})
	return slices.Collect(maps.Keys(members))
}

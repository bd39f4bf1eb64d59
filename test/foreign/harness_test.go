package foreign

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/foreign/ghost"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
	"github.com/p2pstream/p2pstream/test/lab/seats"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // as the seeder program does: many connections, little garbage that lasts
	lab.Parallel(8)         // seats bound what runs at once
	os.Exit(lab.Main(m))
}

// machine lets two audiences run at once, of which one may be starting: twenty viewers that connect keep both processors
// busy, and trackers close the sockets of those that answer late. The one with more ghosts than viewers runs alone.
var machine = seats.New(2)

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
	a.origin, _ = inprocess.StartOrigin(t, "127.0.0.1:0")
	a.source = "http://" + a.origin.Addr().String() + streamPath
	cfg := seeder.Config{
		Source: a.source, SwarmID: lab.SwarmID, Trackers: trackers, Loopback: true, ICEListen: "127.0.0.1:0",
		ReportInterval: duration.Duration(time.Hour), Drain: duration.Duration(time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	sd := lab.Must[*seeder.Server](t)(seeder.New(cfg, lab.Logger("seeder"), a.seeded))
	inprocess.Run(t, sd)
	lab.Eventually(t, 30*time.Second, "the seeder to hold the stream", inprocess.HoldsWindow(sd))
	return a
}

// join starts a group of viewers.
func (a *audience) join(name string, count int, change func(*viewer.Config)) *group {
	a.t.Helper()
	cfg := viewer.Config{
		Source: a.source, SwarmID: lab.SwarmID, Trackers: a.trackers, Count: count, Verify: true, Loopback: true,
		JoinInterval: duration.Duration(250 * time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	g := &group{name: name, reg: prometheus.NewRegistry()}
	g.Server = lab.Must[*viewer.Server](a.t)(viewer.New(cfg, lab.Logger(name), g.reg))
	g.stop = inprocess.Run(a.t, g)
	a.groups = append(a.groups, g)
	return g
}

// leave ends a group in the background; what it received still counts.
func (a *audience) leave(g *group) {
	g.left = true
	a.leaving.Go(g.stop)
}

// stay is how much media a passing viewer plays.
const stay = 3 * time.Second

// churn lets pairs of viewers come, play for a moment and leave, until the span is over.
func (a *audience) churn(span time.Duration, change func(*viewer.Config)) {
	a.t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); {
		g := a.join("passing viewers", 2, change)
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
	lab.Eventually(a.t, media+60*time.Second, "viewers to play "+media.String(), func() error {
		for _, g := range groups {
			if g.left {
				continue
			}
			for _, each := range g.Snapshot().Viewers {
				if each.PlayedMs < media.Milliseconds() {
					return fmt.Errorf("%s: viewer %d has played %d ms", g.name, each.ID, each.PlayedMs)
				}
			}
		}
		return nil
	})
}

// The start is not judged, since a viewer that finds no peer for its first segments has to ask the origin. It is over
// when every viewer has played this much media and has so many peers over all of its swarms.
const (
	settledMedia = 4 * time.Second
	settledPeers = 8
)

// mark begins what check judges, which is everything after the start.
func (a *audience) mark() {
	a.t.Helper()
	began := time.Now()
	a.played(settledMedia)
	lab.Eventually(a.t, 30*time.Second, "every viewer to meet others", func() error {
		for _, g := range a.groups {
			for _, each := range g.Snapshot().Viewers {
				if each.Peers < settledPeers {
					return fmt.Errorf("%s: viewer %d has %d peers", g.name, each.ID, each.Peers)
				}
			}
		}
		return nil
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

// check requires that no viewer was harmed, and that nine bytes in ten came from peers since the mark.
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

// unharmed requires that no viewer ever stalled or got a wrong byte.
func (a *audience) unharmed() {
	a.t.Helper()
	for _, g := range a.groups {
		r := g.Snapshot()
		if r.Total.Stalls != 0 || r.Total.DigestErrors != 0 {
			b, _ := json.Marshal(r) // a struct of numbers
			a.t.Errorf("%s: %d stalls, %d digest errors: %s", g.name, r.Total.Stalls, r.Total.DigestErrors, b)
		}
		for _, each := range r.Viewers {
			if each.StartupMs < 0 || each.Verified == 0 {
				a.t.Errorf("%s: viewer %d did not play", g.name, each.ID)
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

// The twenty viewers that stay: ten watch the first rendition, eight another, two hold all of them.
const (
	residents    = 20
	memberships  = 10*2 + 8*2 + 2*3 // each with the audio
	seederSwarms = 3 * 2            // two generations
)

// settle starts the residents, waits until all of them play and have met others, and begins what check judges.
func (a *audience) settle() {
	a.t.Helper()
	watching := func(names ...string) func(*viewer.Config) {
		return func(c *viewer.Config) { c.Renditions = names }
	}
	machine.StartAlone(func() {
		a.join("low", 10, watching())
		a.join("high", 8, watching("360p", "audio-en"))
		a.join("all", 2, watching(viewer.AllRenditions))
		a.mark()
	})
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

package inprocess

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/stun"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
)

// Stream is the programs of one stream, on ports of 127.0.0.1 that stay the same over restarts.
type Stream struct {
	Origin     *origin.Server
	StopOrigin func()
	// Source is the manifest's URL.
	Source      string
	Tracker     *tracker.Server
	StopTracker func()

	trackerConfig tracker.Config
}

// NewStream starts an origin, a STUN server and a tracker for the stream at a path of the origin. They end with the
// test.
func NewStream(t testing.TB, path string) *Stream {
	t.Helper()
	s := &Stream{}
	s.Origin, s.StopOrigin = StartOrigin(t, lab.LoopbackAddress())
	s.Source = "http://" + s.Origin.Addr().String() + path
	st := lab.Must[*stun.Server](t)(stun.New(stun.Config{Listen: lab.LoopbackAddress()}, lab.Logger("stun"), nil))
	Run(t, st)
	s.trackerConfig = tracker.Config{
		Listen: lab.LoopbackAddress(), SeederToken: lab.Token, SessionKey: lab.SessionKey, DrainPeriod: tracker.Duration(time.Millisecond),
		Stream: &tracker.StreamConfig{SourceURL: s.Source, SwarmID: lab.SwarmID, STUN: []string{"stun:" + st.Addr().String()},
			TelemetryInterval: tracker.Duration(time.Second)},
	}
	s.RestartTracker(t)
	return s
}

// StartOrigin starts an origin on host:port.
func StartOrigin(t testing.TB, listen string) (*origin.Server, func()) {
	t.Helper()
	o := lab.Must[*origin.Server](t)(origin.New(origin.Config{Listen: listen}, lab.Logger("origin"), nil))
	return o, Run(t, o)
}

// RestartOrigin starts the origin again, where it was.
func (s *Stream) RestartOrigin(t testing.TB) {
	t.Helper()
	s.Origin, s.StopOrigin = StartOrigin(t, s.Origin.Addr().String())
}

// RestartTracker starts the tracker again, where it was.
func (s *Stream) RestartTracker(t testing.TB) {
	t.Helper()
	s.Tracker = lab.Must[*tracker.Server](t)(tracker.New(s.trackerConfig, lab.Logger("tracker"), nil))
	s.StopTracker = Run(t, s.Tracker)
	s.trackerConfig.Listen = s.Tracker.Addr().String()
}

// UseSites starts the tracker again with a map of sites.
func (s *Stream) UseSites(t testing.TB, list ...sites.Entry) {
	t.Helper()
	s.StopTracker()
	s.trackerConfig.Sites = &tracker.SitesConfig{Config: sites.Config{List: list}}
	s.RestartTracker(t)
}

// UseGenerations starts the tracker again with the swarms of these generations of the browser library.
func (s *Stream) UseGenerations(t testing.TB, names ...string) {
	t.Helper()
	s.StopTracker()
	s.trackerConfig.Stream.Generations = names
	s.RestartTracker(t)
}

// HTTP is a URL of the tracker's viewer API.
func (s *Stream) HTTP(path string) string { return "http://" + s.Tracker.Addr().String() + path }

// WebSocket is the URL that peers announce to, with the ticket of a new session.
func (s *Stream) WebSocket() string {
	return "ws://" + s.Tracker.Addr().String() + "/announce?t=" + lab.Ticket()
}

// StartSeeder starts a seeder whose configuration may be changed first.
func (s *Stream) StartSeeder(t testing.TB, change func(*seeder.Config)) (*seeder.Server, func()) {
	t.Helper()
	cfg := seeder.Config{
		Source: s.Source, SwarmID: lab.SwarmID, Trackers: []string{s.WebSocket()}, Token: lab.Token, Loopback: true,
		ICEListen: "127.0.0.1:0", ReportInterval: duration.Duration(time.Second), Drain: duration.Duration(time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	sd := lab.Must[*seeder.Server](t)(seeder.New(cfg, lab.Logger("seeder"), nil))
	return sd, Run(t, sd)
}

// AwaitSeeded waits until the tracker knows that a seeder holds the stream.
func (s *Stream) AwaitSeeded(t testing.TB) {
	t.Helper()
	lab.Eventually(t, 30*time.Second, "the tracker to know that a seeder holds the stream", func() error {
		if st := s.Stats(t); !st.SeedersHold {
			return fmt.Errorf("%+v", st)
		}
		return nil
	})
}

// HoldsWindow is a condition: the seeder holds every segment that it knows of.
func HoldsWindow(sd *seeder.Server) func() error {
	return func() error {
		renditions := sd.Engine().Status().Renditions
		if len(renditions) == 0 {
			return errors.New("it has no rendition yet")
		}
		for _, r := range renditions {
			if r.Error != "" || r.Held < r.Known || r.Known == 0 {
				return fmt.Errorf("%s: holds %d of %d, %s", r.Name, r.Held, r.Known, r.Error)
			}
		}
		return nil
	}
}

// StartViewers starts viewers whose configuration may be changed first. They verify every segment against the origin.
func (s *Stream) StartViewers(t testing.TB, change func(*viewer.Config)) (*viewer.Server, func()) {
	t.Helper()
	cfg := viewer.Config{
		ConfigURL: s.HTTP("/v1/config"), Loopback: true, Verify: true,
		JoinInterval: duration.Duration(100 * time.Millisecond),
	}
	if change != nil {
		change(&cfg)
	}
	v := lab.Must[*viewer.Server](t)(viewer.New(cfg, lab.Logger("viewer"), nil))
	return v, Run(t, v)
}

// AwaitPlayed waits until every viewer has played that much media, and returns what they measured.
func AwaitPlayed(t testing.TB, media time.Duration, v *viewer.Server) (r viewer.Report) {
	t.Helper()
	lab.Eventually(t, media+60*time.Second, "viewers to play "+media.String(), func() error {
		r = v.Snapshot()
		if len(r.Viewers) == 0 {
			return errors.New("no viewer has begun")
		}
		for _, each := range r.Viewers {
			if each.PlayedMs < media.Milliseconds() {
				return fmt.Errorf("viewer %d has played %d ms", each.ID, each.PlayedMs)
			}
		}
		return nil
	})
	return r
}

// Stats asks the tracker.
func (s *Stream) Stats(t testing.TB) viewerapi.Stats {
	t.Helper()
	return s.stats(t, "/v1/stats")
}

// Accumulate adds what the tracker has counted since the last call to a total that is kept over restarts.
func (s *Stream) Accumulate(t testing.TB, total *telemetry.Accumulator) telemetry.Counters {
	t.Helper()
	st := s.stats(t, stats.AccumulatePath(total.Kept()))
	return total.Observe(st.Boot, st.Offload.Reading, st.Offload.Totals)
}

func (s *Stream) stats(t testing.TB, path string) viewerapi.Stats {
	t.Helper()
	return lab.Must[viewerapi.Stats](t)(lab.FetchJSONAs[viewerapi.Stats](context.Background(), s.HTTP(path), lab.Token))
}

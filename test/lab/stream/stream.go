package stream

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	stun "github.com/p2pstream/p2pstream/runtime/stun/config"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// LivePath is a live stream of one rendition in segments of two seconds, at the lab's origin.
const LivePath = "/live/seg_2/window_10/ren_1/master.m3u8"

// Options change what a stream is started with.
type Options struct {
	// Path of the manifest at the origin. Default LivePath.
	Path string
	// Source is the manifest's URL, instead of an origin that the lab starts.
	Source string
	// Tracker, Seeder and STUN may change the programs' configurations.
	Tracker func(*tracker.Config)
	Seeder  func(*seeder.Config)
	STUN    func(*stun.Config)
	// TrackerMemory is the memory limit of the tracker's pod, in bytes. None if 0.
	TrackerMemory int64
	// NoSeeder starts none.
	NoSeeder bool
}

// Stream is the programs of one stream.
type Stream struct {
	Origin, STUN, Tracker, Seeder *program.Process
	// Source is the manifest's URL.
	Source string
	// Listen is where viewers reach the tracker, STUNListen where they reach the STUN server, host:port.
	Listen, STUNListen string
}

// Start starts a stream, and waits until its seeder holds it. The programs end with the test.
func Start(t testing.TB, o Options) *Stream {
	t.Helper()
	s := &Stream{Source: o.Source, Listen: lab.FreeAddress(t), STUNListen: lab.FreeAddress(t)}
	if o.Path == "" {
		o.Path = LivePath
	}
	if s.Source == "" {
		address := lab.FreeAddress(t)
		s.Source = "http://" + address + o.Path
		s.Origin = program.Start(t, program.Spec{Command: "origin", Config: origin.Config{Listen: address}, Ready: s.Source})
	}
	st := stun.Config{Listen: s.STUNListen, AdminListen: lab.FreeAddress(t)}
	change(&st, o.STUN)
	s.STUN = program.Start(t, program.Spec{Command: "stun", Admin: st.AdminListen, Config: st})
	tr := tracker.Config{
		Listen: s.Listen, AdminListen: lab.FreeAddress(t), SeederToken: lab.Token, SessionKey: lab.SessionKey,
		DrainPeriod: tracker.Duration(time.Millisecond),
		// Pairs and attackers meet in swarms of their own; tests of closed doors change this.
		Stream: &tracker.StreamConfig{AnySwarm: true, SourceURL: s.Source, SwarmID: lab.SwarmID, STUN: []string{"stun:" + s.STUNListen},
			TelemetryInterval: tracker.Duration(time.Second)},
	}
	change(&tr, o.Tracker)
	s.Tracker = program.Start(t, program.Spec{Command: "tracker", Admin: tr.AdminListen, Config: tr, Memory: o.TrackerMemory})
	if !o.NoSeeder {
		s.StartSeeder(t, o.Seeder)
	}
	return s
}

// StartSeeder starts a seeder, whose configuration may be changed first, and waits until the tracker knows that it holds
// the stream.
func (s *Stream) StartSeeder(t testing.TB, changed func(*seeder.Config)) {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(lab.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := seeder.Config{
		Source: s.Source, SwarmID: lab.SwarmID, Trackers: []string{s.WebSocket()}, TokenFile: token, Loopback: true,
		ICEListen: "127.0.0.1:0", AdminListen: lab.FreeAddress(t), ReportInterval: duration.Duration(time.Second),
		Drain: duration.Duration(time.Millisecond),
	}
	change(&cfg, changed)
	s.Seeder = program.Start(t, program.Spec{Command: "seeder", Admin: cfg.AdminListen, Config: cfg})
	lab.Eventually(t, program.StartTime, "the tracker to know that a seeder holds the stream", func() error {
		s.Seeder.Running(t)
		if st := s.Stats(t); !st.SeedersHold {
			b, err := json.Marshal(st)
			return errors.Join(errors.New(string(b)), err)
		}
		return nil
	})
}

func change[T any](cfg *T, f func(*T)) {
	if f != nil {
		f(cfg)
	}
}

// HTTP is a URL of the tracker's viewer API.
func (s *Stream) HTTP(path string) string { return "http://" + s.Listen + path }

// WebSocket is the URL that peers announce to, with the ticket of a new session.
func (s *Stream) WebSocket() string { return "ws://" + s.Listen + "/announce?t=" + lab.Ticket() }

// Stats asks the tracker.
func (s *Stream) Stats(t testing.TB) stats.Stats {
	t.Helper()
	return lab.Must[stats.Stats](t)(lab.FetchJSON[stats.Stats](context.Background(), "http://"+s.Tracker.Admin+stats.Path))
}

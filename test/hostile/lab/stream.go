package lab

import (
	"encoding/json"
	"net/http"
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
)

// Token is the seeder token of every stream in the lab.
const Token = "hostile-lab-token"

// SessionKey signs the sessions of every tracker in the lab: what an attacker does who has stolen it.
const SessionKey = "0123456789abcdef0123456789abcdef"

// SwarmID is the swarm id of every stream in the lab.
const SwarmID = "hostile-lab"

// LivePath is a live stream of one rendition in segments of two seconds.
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
	// NoSeeder starts none.
	NoSeeder bool
}

// Stream is the programs of one stream.
type Stream struct {
	Origin, STUN, Tracker, Seeder *Process
	// Source is the manifest's URL.
	Source string
	// Listen is where viewers reach the tracker, STUNListen where they reach the STUN server, host:port.
	Listen, STUNListen string
}

// NewStream starts a stream, and waits until its seeder holds it.
func NewStream(t testing.TB, o Options) *Stream {
	t.Helper()
	s := &Stream{Source: o.Source, Listen: FreeAddress(t), STUNListen: FreeAddress(t)}
	if o.Path == "" {
		o.Path = LivePath
	}
	if s.Source == "" {
		address := FreeAddress(t)
		s.Origin = Start(t, "origin", "", origin.Config{Listen: address})
		s.Source = "http://" + address + o.Path
		Eventually(t, startTime, "the origin to answer", func() bool {
			s.Origin.check(t)
			resp, err := http.Get(s.Source)
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
	st := stun.Config{Listen: s.STUNListen, AdminListen: FreeAddress(t)}
	change(&st, o.STUN)
	s.STUN = Start(t, "stun", st.AdminListen, st)
	tr := tracker.Config{
		Listen: s.Listen, AdminListen: FreeAddress(t), SeederToken: Token, SessionKey: SessionKey,
		DrainPeriod: tracker.Duration(time.Millisecond),
		Stream: &tracker.StreamConfig{SourceURL: s.Source, SwarmID: SwarmID, STUN: []string{"stun:" + s.STUNListen},
			TelemetryInterval: tracker.Duration(time.Second)},
	}
	change(&tr, o.Tracker)
	s.Tracker = Start(t, "tracker", tr.AdminListen, tr)
	if !o.NoSeeder {
		s.StartSeeder(t, o.Seeder)
	}
	return s
}

// StartSeeder starts one, which differs from the usual by what changed makes of it, and waits until the tracker knows
// that it holds the stream.
func (s *Stream) StartSeeder(t testing.TB, changed func(*seeder.Config)) {
	t.Helper()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(Token), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := seeder.Config{
		Source: s.Source, SwarmID: SwarmID, Trackers: []string{s.WebSocket()}, TokenFile: token, Loopback: true,
		ICEListen: "127.0.0.1:0", AdminListen: FreeAddress(t), ReportInterval: duration.Duration(time.Second),
		Drain: duration.Duration(time.Millisecond),
	}
	change(&cfg, changed)
	s.Seeder = Start(t, "seeder", cfg.AdminListen, cfg)
	Eventually(t, startTime, "the tracker to know that a seeder holds the stream", func() bool {
		s.Seeder.check(t)
		return s.Stats(t).SeedersHold
	})
}

func change[T any](cfg *T, f func(*T)) {
	if f != nil {
		f(cfg)
	}
}

// HTTP is a URL of the tracker.
func (s *Stream) HTTP(path string) string { return "http://" + s.Listen + path }

// WebSocket is the URL that peers announce to.
func (s *Stream) WebSocket() string { return "ws://" + s.Listen + "/announce" }

// Stats asks the tracker.
func (s *Stream) Stats(t testing.TB) stats.Stats {
	t.Helper()
	body := Get(t, "http://"+s.Tracker.Admin+stats.Path)
	var st stats.Stats
	if err := json.Unmarshal(body, &st); err != nil {
		t.Fatalf("decoding stats: %v\n%s", err, body)
	}
	return st
}

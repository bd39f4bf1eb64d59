package interop

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
	"github.com/p2pstream/p2pstream/test/lab/netns"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// testOrigin is our origin, in the process of the test, which reads what it served.
type testOrigin struct {
	*origin.Server
	stop func()
}

// startOrigin starts an origin on an address of this machine.
func startOrigin(t testing.TB, host string) *testOrigin {
	t.Helper()
	s, stop := inprocess.StartOrigin(t, net.JoinHostPort(host, "0"))
	return &testOrigin{s, stop}
}

// url of a path such as /vod/dur_60/master.m3u8.
func (o *testOrigin) url(path string) string { return "http://" + o.Addr().String() + path }

// stream is the programs of one stream, started by flags, as users do that have no operator. They are killed when the
// test ends: how they end in peace is tested elsewhere.
type stream struct {
	origin  *testOrigin
	source  string // manifest URL
	private string // manifest URL for the seeder, if another
	host    string // of all programs
	address string // of the tracker
	tracker *program.Process
	seeder  *program.Process
	token   string // file
	stun    string
}

const loopback = "127.0.0.1"

// startStream starts origin, STUN server and tracker for the stream at path. In a namespace they are
// reachable from inside it.
func startStream(t testing.TB, path string, n *netns.Namespace) *stream {
	t.Helper()
	return startStreamBehind(t, path, n, func(origin string) string { return origin })
}

// startStreamBehind is startStream for a source that stands before the origin: front gets the origin's URL and returns its own.
func startStreamBehind(t testing.TB, path string, n *netns.Namespace, front func(origin string) string) *stream {
	t.Helper()
	s := &stream{host: loopback}
	if n != nil {
		s.host = n.HostIP.String()
	}
	s.origin = startOrigin(t, s.host)
	s.source = front(s.origin.url("")) + path
	s.token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(s.token, []byte(lab.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	s.stun = lab.FreeAddressOn(t, s.host)
	s.address = lab.FreeAddressOn(t, s.host)
	pool.Start(func() {
		start(t, program.Spec{Command: "stun", Args: []string{"--listen", s.stun}})
		s.startTracker(t)
	})
	return s
}

func start(t testing.TB, s program.Spec) *program.Process {
	t.Helper()
	p := program.Start(t, s)
	t.Cleanup(p.Kill)
	return p
}

// startTracker starts the tracker, or restarts it on the same address, with more flags if given.
func (s *stream) startTracker(t testing.TB, flags ...string) {
	t.Helper()
	s.tracker = start(t, program.Spec{Command: "tracker", Ready: s.http("/v1/stats"), Args: append([]string{
		"--listen", s.address, "--admin-listen", "", "--stream-source", s.source, "--swarm-id", lab.SwarmID,
		"--stun", "stun:" + s.stun, "--seeder-token-file", s.token}, flags...)})
}

// http is a URL of the tracker's viewer API.
func (s *stream) http(path string) string { return "http://" + s.address + path }

// announceURL is what the tracker gives a viewer to announce to, with the ticket of a new session.
func (s *stream) announceURL(t testing.TB) string {
	t.Helper()
	type config struct{ Trackers []string }
	return lab.Must[config](t)(lab.FetchJSON[config](t.Context(), s.http("/v1/config"))).Trackers[0]
}

// startSeeder starts a seeder and waits until the tracker tells viewers to count on it.
func (s *stream) startSeeder(t testing.TB) {
	t.Helper()
	source := s.source
	if s.private != "" {
		source = s.private
	}
	pool.Start(func() {
		s.seeder = start(t, program.Spec{Command: "seeder", Args: []string{
			"--source", source, "--swarm-id", lab.SwarmID, "--tracker", "ws://" + s.address + "/announce", "--token-file", s.token,
			"--admin-listen", "", "--loopback", "--ice-listen", net.JoinHostPort(s.host, "0"), "--stun", "stun:" + s.stun}})
		lab.Eventually(t, program.StartTime, "the seeder to hold the stream", func() bool {
			s.seeder.Running(t)
			st, err := s.stats(t)
			return err == nil && st.SeedersHold
		})
	})
}

// launchViewers starts headless viewers with the stream's own settings, which verify every segment.
func (s *stream) launchViewers(t testing.TB, args ...string) *program.Process {
	t.Helper()
	return program.Start(t, program.Spec{Command: "viewer", Args: append([]string{
		"--config-url", s.http("/v1/config"), "--headless", "--json", "--verify", "--loopback", "--log-level", "error"}, args...)})
}

func (s *stream) stats(t testing.TB) (viewerapi.Stats, error) {
	return lab.FetchJSONAs[viewerapi.Stats](t.Context(), s.http("/v1/stats"), lab.Token)
}

// accumulate reads the stats as a program does that keeps totals over restarts.
func (s *stream) accumulate(t testing.TB, total *telemetry.Accumulator) (telemetry.Counters, error) {
	st, err := lab.FetchJSONAs[viewerapi.Stats](t.Context(), s.http(stats.AccumulatePath(total.Kept())), lab.Token)
	if err != nil {
		return telemetry.Counters{}, err
	}
	return total.Observe(st.Boot, st.Offload.Reading, st.Offload.Totals), nil
}

// minute is how long tabs are watched: what the first 60 s cost is what a join storm costs.
const minute = 60 * time.Second

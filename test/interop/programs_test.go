package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/freeport"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
	"github.com/p2pstream/p2pstream/test/lab/netns"
)

// Our programs run as processes here, as they do for users, so that they can be killed as a machine
// kills them: without a word.

var (
	buildOnce sync.Once
	buildPath string
	errBuild  error
)

// binary builds p2pstream once for all tests.
func binary(t testing.TB) string {
	t.Helper()
	buildOnce.Do(func() {
		dir, err := os.MkdirTemp("", "p2pstream-interop-")
		if err != nil {
			errBuild = err
			return
		}
		buildPath = filepath.Join(dir, "p2pstream")
		out, err := exec.Command("go", "build", "-o", buildPath, "github.com/p2pstream/p2pstream/cmd/p2pstream").CombinedOutput()
		if err != nil {
			errBuild = fmt.Errorf("building p2pstream: %w\n%s", err, out)
		}
	})
	if errBuild != nil {
		t.Fatal(errBuild)
	}
	return buildPath
}

// process is one of our programs.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
	err  error
}

// output keeps what a process says, for a failure message.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.b.Len() > 1<<20 {
		return len(p), nil
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// launch starts a program; it is killed at the end of the test if it still runs.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: args[0], log: &output{}, done: make(chan struct{})}
	p.cmd = exec.Command(binary(t), args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, tail(p.log.String(), 4000))
		}
	})
	return p
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// kill ends the program as a crash does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // gone already is as good
	<-p.done
}

// freePort returns an address on host that nobody listens on right now.
func freePort(t testing.TB, host string) string {
	t.Helper()
	address, err := freeport.On(host)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

const (
	swarmID     = "interop"
	seederToken = "interop-seeder-token"
)

// stream is the programs of one stream.
type stream struct {
	t       testing.TB
	origin  *testOrigin
	source  string // manifest URL
	private string // manifest URL for the seeder, if another
	host    string // of everything
	address string // of the tracker
	tracker *process
	seeder  *process
	token   string // file
	stun    string
}

// startStream starts origin, STUN server and tracker for the stream at path. In a namespace they are
// reachable from inside it.
func startStream(t testing.TB, path string, n *netns.Namespace) *stream {
	t.Helper()
	s := &stream{t: t, host: "127.0.0.1"}
	if n != nil {
		s.host = n.HostIP.String()
	}
	s.origin = startOrigin(t, net.JoinHostPort(s.host, "0"))
	s.source = s.origin.url(path)
	s.token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(s.token, []byte(seederToken), 0o600); err != nil {
		t.Fatal(err)
	}
	s.stun = freePort(t, s.host)
	launch(t, "stun", "--listen", s.stun)
	s.address = freePort(t, s.host)
	s.startTracker()
	return s
}

func (s *stream) startTracker() {
	s.t.Helper()
	s.tracker = launch(s.t, "tracker", "--listen", s.address, "--admin-listen", "",
		"--stream-source", s.source, "--swarm-id", swarmID, "--stun", "stun:"+s.stun, "--seeder-token-file", s.token)
	waitFor(s.t, 20*time.Second, "the tracker to answer", func() bool {
		_, err := s.stats()
		return err == nil
	})
}

func (s *stream) http(path string) string { return "http://" + s.address + path }

// startSeeder starts a seeder and waits until the tracker tells viewers to count on it.
func (s *stream) startSeeder() {
	s.t.Helper()
	source := s.source
	if s.private != "" {
		source = s.private
	}
	s.seeder = launch(s.t, "seeder", "--source", source, "--swarm-id", swarmID,
		"--tracker", "ws://"+s.address+"/announce", "--token-file", s.token, "--admin-listen", "", "--loopback",
		"--ice-listen", net.JoinHostPort(s.host, "0"), "--stun", "stun:"+s.stun)
	waitFor(s.t, 30*time.Second, "the seeder to hold the stream", func() bool {
		st, err := s.stats()
		return err == nil && st.SeedersHold
	})
}

func (s *stream) stats() (viewerapi.Stats, error) { return s.get("/v1/stats") }

// accumulate reads the stats as whoever keeps totals over restarts does.
func (s *stream) accumulate(total *telemetry.Accumulator) (telemetry.Counters, error) {
	st, err := s.get(stats.AccumulatePath(total.Kept()))
	if err != nil {
		return telemetry.Counters{}, err
	}
	return total.Observe(st.Boot, st.Offload.Reading, st.Offload.Totals), nil
}

func (s *stream) get(path string) (viewerapi.Stats, error) {
	var st viewerapi.Stats
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http(path), nil)
	if err != nil {
		return st, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return st, fmt.Errorf("status %s", resp.Status)
	}
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

func waitFor(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s for %s", within, what)
		case <-tick.C:
		}
	}
}

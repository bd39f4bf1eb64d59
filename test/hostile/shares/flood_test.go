package shares

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

const (
	// attackers are sockets, each of which has an address of its own.
	attackers = 5000
	audience  = 20
	watched   = 20 * time.Second
	patience  = time.Minute
)

// TestAFloodBesideAnAudience: five thousand sockets do at one stream whatever harms a tracker. Twenty viewers come to another stream
// meanwhile, when viewers have no place left, and play it from peers without a stall.
func TestAFloodBesideAnAudience(t *testing.T) {
	needDescriptors(t, 2*attackers)
	n := startNetwork(t)
	cost := bystander.Measure(t, n.tracker)
	before := n.tracker.Metrics(t)
	attack := startCrowd(t, n)
	lab.Eventually(t, patience, "the flood to have all places of viewers", func() error {
		if open := n.stats(t, flooded).ViewerSockets; open < viewerPlaces*98/100 {
			return fmt.Errorf("%d sockets are open", open)
		}
		return nil
	})
	attack.begin()
	viewers := program.Start(t, program.Spec{Command: "viewer", Config: viewer.Config{
		ConfigURL: "http://" + n.listen + calm + "/v1/config", Count: audience, Verify: true, Loopback: true,
		JoinInterval: duration.Duration(200 * time.Millisecond), Duration: duration.Duration(watched),
		// Attackers and audience share this machine's processors: how soon the first peer is there says little here.
		StartupWait: duration.Duration(10 * time.Second),
	}, Args: []string{"--headless", "--json"}})
	lab.Eventually(t, patience, "the audience to be counted", func() error {
		viewers.Running(t)
		if s := n.stats(t, calm); s.ViewerSockets < audience || s.Reporting < audience {
			return fmt.Errorf("%d sockets are open, %d viewers report", s.ViewerSockets, s.Reporting)
		}
		return nil
	})
	joined := n.tracker.Metrics(t)
	var r viewer.Report
	if err := json.Unmarshal(viewers.Finish(t, watched+patience), &r); err != nil {
		t.Fatalf("reading the viewers' report: %v", err)
	}
	judgeFlood(t, n, before, joined)
	attack.stop()
	judge(t, r)
	cost.Check(t, bystander.Bounds{Memory: 512 << 20, Log: 16 << 10})
}

// judge requires that no viewer of the audience noticed the flood.
func judge(t *testing.T, r viewer.Report) {
	t.Helper()
	slowest := int64(0)
	for _, v := range r.Viewers {
		slowest = max(slowest, v.StartupMs)
	}
	t.Logf("%d viewers, %d stalls, offload %.3f, %d digest errors, bytes %+v, first pictures within %d ms", len(r.Viewers), r.Total.Stalls,
		r.Total.Offload, r.Total.DigestErrors, r.Total.Bytes, slowest)
	if len(r.Viewers) != audience || r.Total.Stalls != 0 || r.Total.DigestErrors != 0 || r.Total.Offload < 0.95 {
		t.Errorf("the audience was harmed: %+v", r)
	}
	for _, v := range r.Viewers {
		if v.PlayedMs == 0 || v.Bytes.Seeder+v.Bytes.Viewer == 0 {
			t.Errorf("viewer %d did not play from peers: %+v", v.ID, v)
		}
	}
}

// needDescriptors fails the test where a process may not open as many files: each end of a socket is one.
func needDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var have syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &have); err != nil {
		t.Fatal(err)
	}
	if have.Max < n {
		t.Fatalf("a process may open %d files and needs %d; raise the hard limit (ulimit -Hn)", have.Max, n)
	}
}

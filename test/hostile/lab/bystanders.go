package lab

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// Bystanders are viewers who watch the stream during an attack, in a process of their own.
type Bystanders struct {
	s       *Stream
	p       *Process
	viewers int
	began   time.Time
}

// Bystanders starts n viewers, and waits until all of them play and have received from peers.
func (s *Stream) Bystanders(t testing.TB, n int) *Bystanders {
	t.Helper()
	b := &Bystanders{s: s, viewers: n}
	b.p = Start(t, "viewer", "", viewer.Config{
		ConfigURL: s.HTTP("/v1/config"), Count: n, Verify: true, Loopback: true,
		JoinInterval: duration.Duration(200 * time.Millisecond),
	}, "--headless", "--json")
	before := s.Stats(t)
	Eventually(t, startTime, "the bystanders to play", func() bool {
		b.p.check(t)
		st := s.Stats(t)
		return st.Reporting >= before.Reporting+n && st.Offload.Totals.Peer() > before.Offload.Totals.Peer()
	})
	b.began = time.Now()
	return b
}

// Process is the viewers' process.
func (b *Bystanders) Process() *Process { return b.p }

// Unharmed ends the viewers and fails the test if any of them stalled, got a wrong byte, or did not play on.
func (b *Bystanders) Unharmed(t testing.TB) viewer.Report {
	t.Helper()
	watched := time.Since(b.began)
	b.p.Stop(t)
	var r viewer.Report
	if err := json.Unmarshal(b.p.Output(), &r); err != nil {
		t.Fatalf("reading the viewers' report: %v\n%s", err, b.p.Output())
	}
	t.Logf("bystanders: %d viewers, %d stalls, offload %.3f, %d digest errors, %v under attack", len(r.Viewers), r.Total.Stalls,
		r.Total.Offload, r.Total.DigestErrors, watched.Round(time.Millisecond))
	if len(r.Viewers) != b.viewers || r.Total.Stalls != 0 || r.Total.DigestErrors != 0 {
		t.Errorf("bystanders were harmed: %s", b.p.Output())
	}
	for _, one := range r.Viewers {
		// Playback runs at the pace of the clock; a tenth is for the machine's load.
		if played := time.Duration(one.PlayedMs) * time.Millisecond; played < watched*9/10-time.Second {
			t.Errorf("bystander %d played %v in %v", one.ID, played, watched)
		}
	}
	return r
}

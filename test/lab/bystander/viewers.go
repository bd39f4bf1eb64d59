package bystander

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// Viewers watch a stream during an attack, in a process of their own.
type Viewers struct {
	*program.Process
	count int
	began time.Time
}

// Watch starts n viewers of a stream, and waits until all of them play and have received from peers.
func Watch(t testing.TB, s *stream.Stream, n int) *Viewers {
	t.Helper()
	v := &Viewers{count: n}
	before := s.Stats(t)
	v.Process = program.Start(t, program.Spec{Command: "viewer", Config: viewer.Config{
		ConfigURL: s.HTTP("/v1/config"), Count: n, Verify: true, Loopback: true,
		JoinInterval: duration.Duration(200 * time.Millisecond),
	}, Args: []string{"--headless", "--json"}})
	lab.Eventually(t, program.StartTime, "the bystanders to play", func() error {
		v.Running(t)
		st := s.Stats(t)
		if st.Reporting < before.Reporting+n || st.Offload.Totals.Peer() <= before.Offload.Totals.Peer() {
			return fmt.Errorf("%d report, with %d bytes of peers", st.Reporting, st.Offload.Totals.Peer())
		}
		return nil
	})
	v.began = time.Now()
	return v
}

// Observe judges n viewers that already run and play, from now on.
func Observe(p *program.Process, n int) *Viewers {
	return &Viewers{Process: p, count: n, began: time.Now()}
}

// Unharmed ends the viewers and fails the test if any of them stalled, got a wrong byte, or did not play on.
func (v *Viewers) Unharmed(t testing.TB) viewer.Report {
	t.Helper()
	watched := time.Since(v.began)
	v.Stop(t)
	var r viewer.Report
	if err := json.Unmarshal(v.Output(), &r); err != nil {
		t.Fatalf("reading the viewers' report: %v\n%s", err, v.Output())
	}
	t.Logf("bystanders: %d viewers, %d stalls, offload %.3f, %d digest errors, %v under attack", len(r.Viewers), r.Total.Stalls,
		r.Total.Offload, r.Total.DigestErrors, watched.Round(time.Millisecond))
	if len(r.Viewers) != v.count || r.Total.Stalls != 0 || r.Total.DigestErrors != 0 {
		t.Errorf("bystanders were harmed: %s", v.Output())
	}
	for _, each := range r.Viewers {
		// Playback runs at the pace of the clock; a tenth is for the machine's load.
		if played := time.Duration(each.PlayedMs) * time.Millisecond; played < watched*9/10-time.Second {
			t.Errorf("bystander %d played %v in %v", each.ID, played, watched)
		}
	}
	return r
}

package drain

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/stun"
	stunconfig "github.com/p2pstream/p2pstream/runtime/stun/config"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

const (
	audience = 4
	patience = 30 * time.Second
)

// terminate sends SIGTERM and returns at once; the channel is closed when the program has ended, which it must with
// exit code 0.
func terminate(t *testing.T, p *program.Process) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Stop(t)
	}()
	t.Cleanup(func() { <-ended })
	return ended
}

func await(t *testing.T, ended <-chan struct{}) time.Duration {
	t.Helper()
	began := time.Now()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("does not end")
	}
	return time.Since(began)
}

// status is what a URL answers with; 0: nothing.
func status(url string) int {
	resp, err := lab.Client.Get(url)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestTracker: a tracker that drains is not ready at once, answers players until its last socket is closed, and its
// audience plays on and comes back to the tracker that follows it.
func TestTracker(t *testing.T) {
	t.Parallel()
	var cfg tracker.Config
	s := stream.Start(t, stream.Options{Tracker: func(c *tracker.Config) {
		c.DrainPeriod = tracker.Duration(4 * time.Second)
		cfg = *c
	}})
	b := bystander.Watch(t, s, audience)
	old := s.Tracker
	ended := terminate(t, old)
	lab.Eventually(t, patience, "the tracker to say that it is not ready", func() bool {
		return status("http://"+old.Admin+"/readyz") == http.StatusServiceUnavailable
	})
	if got := status(s.HTTP("/v1/config")); got != http.StatusOK {
		t.Errorf("settings while it drains: %d", got)
	}
	if took := await(t, ended); took > 10*time.Second {
		t.Errorf("ended after %v, with four sockets to close in four seconds", took)
	}
	if log := old.LogText(); !strings.Contains(log, "tracker drains") {
		t.Errorf("does not say that it drains: %s", log)
	}
	s.Tracker = program.Start(t, program.Spec{Command: "tracker", Admin: cfg.AdminListen, Config: cfg})
	lab.Eventually(t, patience, "all peers to come back", func() bool {
		st := s.Stats(t)
		return st.ViewerSockets == audience && st.SeederSockets == 1 && st.Reporting == audience
	})
	b.Unharmed(t)
}

// TestSeeder: one of two seeders drains; viewers are no longer led to it at once, and the other one takes over.
func TestSeeder(t *testing.T) {
	t.Parallel()
	var cfg seeder.Config
	s := stream.Start(t, stream.Options{Seeder: func(c *seeder.Config) {
		c.Drain = duration.Duration(patience)
		cfg = *c
	}})
	cfg.AdminListen, cfg.Ordinal = lab.FreeAddress(t), 1
	program.Start(t, program.Spec{Command: "seeder", Admin: cfg.AdminListen, Config: cfg})
	lab.Eventually(t, patience, "both seeders to hold the stream", func() bool { return s.Stats(t).SeedersHolding == 2 })
	b := bystander.Watch(t, s, audience)
	lab.Eventually(t, patience, "viewers to be connected with the first", func() bool {
		for _, one := range s.Stats(t).SeederStates {
			if strings.HasPrefix(one.ID, "seeder-0-") && one.State.Peers > 0 {
				return true
			}
		}
		return false
	})
	ended := terminate(t, s.Seeder)
	lab.Eventually(t, patience, "the tracker to count on the other one alone", func() bool {
		st := s.Stats(t)
		return st.SeedersHolding == 1 && st.SeederSockets == 1
	})
	if took := await(t, ended); took > patience/2 {
		t.Errorf("ended after %v, though no peer had reason to request more of it", took)
	}
	if log := s.Seeder.LogText(); !strings.Contains(log, "seeder has drained") || !strings.Contains(log, "uploads=0 took") {
		t.Errorf("uploads were cut off: %s", log)
	}
	before := s.Stats(t).Offload.Totals
	lab.Eventually(t, patience, "bytes from peers again", func() bool { return s.Stats(t).Offload.Totals.Peer() > before.Peer() })
	b.Unharmed(t)
}

// TestSTUN: a STUN server that drains answers until clients that were told of it know of another.
func TestSTUN(t *testing.T) {
	t.Parallel()
	const drains = 3 * time.Second
	s := stream.Start(t, stream.Options{STUN: func(c *stunconfig.Config) { c.Drain = duration.Duration(drains) }})
	b := bystander.Watch(t, s, audience)
	began := time.Now()
	ended := terminate(t, s.STUN)
	lab.Eventually(t, patience, "the STUN server to say that it drains", func() bool { return strings.Contains(s.STUN.LogText(), "stun server drains") })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for time.Since(began) < drains/2 {
		if _, err := stun.Probe(ctx, s.STUNListen); err != nil && time.Since(began) < drains {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	}
	await(t, ended)
	if took := time.Since(began); took < drains-100*time.Millisecond {
		t.Errorf("ended after %v", took)
	}
	b.Unharmed(t)
}

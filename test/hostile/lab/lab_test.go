package lab

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// TestNobodyAttacks holds the lab to its own measure: without an attack everybody is unharmed and everything at rest.
func TestNobodyAttacks(t *testing.T) {
	s := NewStream(t, Options{})
	b := s.Bystanders(t, 2)
	p := s.Pair(t)
	w := s.Tracker.Watch(t)
	opened := s.Tracker.Counts(t, func() { s.Pair(t) }, "p2pstream_tracker_sockets_opened_total")
	if opened != 2 {
		t.Errorf("%v sockets opened by a pair, want 2", opened)
	}
	if got := s.Tracker.Metrics(t).Sum("p2pstream_tracker_sockets", `role="viewer"`); got != 6 {
		t.Errorf("%v sockets of viewers, want 6", got)
	}
	if n := s.Tracker.Descriptors(t); n < 8 {
		t.Errorf("tracker has %d descriptors", n)
	}
	w.Check(t, Bounds{Memory: 16 << 20, Log: 4 << 10})
	p.Unharmed(t, 2*time.Second)
	b.Unharmed(t)
}

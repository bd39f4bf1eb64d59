package bystander_test

import (
	"os"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

// TestWithoutAnAttack applies all measures where there is no attack: everything must pass.
func TestWithoutAnAttack(t *testing.T) {
	s := stream.Start(t, stream.Options{})
	viewers := bystander.Watch(t, s, 2)
	pair := bystander.NewPair(t, s)
	cost := bystander.Measure(t, s.Tracker)
	opened := s.Tracker.Counts(t, func() { bystander.NewPair(t, s) }, "p2pstream_tracker_sockets_opened_total")
	if opened != 2 {
		t.Errorf("%v sockets opened by a pair, want 2", opened)
	}
	if got := s.Tracker.Metrics(t).Sum("p2pstream_tracker_sockets", `role="viewer"`); got != 6 {
		t.Errorf("%v sockets of viewers, want 6", got)
	}
	if n := s.Tracker.Usage(t).Descriptors; n < 8 {
		t.Errorf("tracker has %d descriptors", n)
	}
	cost.Check(t, bystander.Bounds{Memory: 16 << 20, Log: 4 << 10})
	pair.Unharmed(t, 2*time.Second)
	viewers.Unharmed(t)
}

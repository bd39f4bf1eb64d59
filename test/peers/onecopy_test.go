package peers

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestTwoSeedersAskTheOriginOnce: of a live stream with an audience, a run of segments is asked of the origin little more than once
// by two seeders together, also while viewers come and go, and no viewer stalls. Without sharing each run is asked for twice.
func TestTwoSeedersAskTheOriginOnce(t *testing.T) {
	t.Parallel()
	const run = 4 // segments
	s := inprocess.NewStream(t, "/live/seg_2/window_10/ren_1/master.m3u8")
	a, _ := s.StartSeeder(t, nil)
	b, _ := s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	stays, stopStays := startViewers(t, s, func(c *viewer.Config) { c.Count = 3 })
	_, stopLeaves := startViewers(t, s, func(c *viewer.Config) { c.Count = 1 })
	stopLeaves()
	comes, stopComes := startViewers(t, s, func(c *viewer.Config) { c.Count = 1 })

	var requests, segments [2]int64
	begin := func() { requests, segments = asked(a, b) }
	begin()
	lab.Eventually(t, time.Minute, "a run of segments to be asked for about once", func() error {
		r, n := asked(a, b)
		if min(n[0]-segments[0], n[1]-segments[1]) < run {
			return fmt.Errorf("%v segments so far", n)
		}
		got := r[0] - requests[0] + r[1] - requests[1]
		most := max(n[0]-segments[0], n[1]-segments[1]) * 3 / 2
		if got > most {
			begin() // a busy machine may have been late
			return fmt.Errorf("%d requests, want at most %d", got, most)
		}
		return nil
	})
	for _, v := range []*viewer.Server{stays, comes} {
		checkClean(t, inprocess.AwaitPlayed(t, 5*time.Second, v))
	}
	stopStays()
	stopComes()
}

// asked is how many requests each seeder has sent to the origin, and how many segments it has got.
func asked(seeders ...*seeder.Server) (requests, segments [2]int64) {
	for i, s := range seeders {
		c := s.Engine().Counters()
		requests[i], segments[i] = c.OriginRequests, c.Segments
	}
	return requests, segments
}

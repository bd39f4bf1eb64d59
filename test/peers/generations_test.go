package peers

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestThreeGenerationsShareOneCopy: viewers of generation v3 and of v2.3 never meet, and one seeder serves both from what it
// fetched once.
func TestThreeGenerationsShareOneCopy(t *testing.T) {
	t.Parallel()
	all := []string{"v2.2", "v2.3", "v3"}
	s := inprocess.NewStream(t, "/live/seg_1/window_20/ren_1/master.m3u8")
	s.UseGenerations(t, all...)
	sd, _ := s.StartSeeder(t, func(c *seeder.Config) { c.Generations = all })
	s.AwaitSeeded(t)
	lab.Eventually(t, 30*time.Second, "the seeder to hold the window", inprocess.HoldsWindow(sd))
	of := func(g identity.Generation) func(*viewer.Config) {
		return func(c *viewer.Config) { c.Count, c.Generations = 2, []string{string(g)} }
	}
	v2, stop2 := startViewers(t, s, of(identity.V23))
	v3, stop3 := startViewers(t, s, of(identity.V3))
	lab.Eventually(t, 30*time.Second, "the viewers of each generation to meet each other and the seeder", func() error {
		for _, r := range s.Stats(t).Renditions {
			if len(r.Swarms) != len(all) {
				return fmt.Errorf("%d swarms, want one a generation", len(r.Swarms))
			}
			for _, swarm := range r.Swarms {
				if viewers := swarm.Peers - swarm.Seeders; swarm.Seeders != 1 || (viewers != 2) != (swarm.Generation == "v2.2") {
					return fmt.Errorf("%s: %d peers, %d seeders", swarm.Generation, swarm.Peers, swarm.Seeders)
				}
			}
		}
		return nil
	})
	// A segment that is under way now may be counted, or its request may.
	requests, newest := sd.Engine().Counters().OriginRequests, sd.Engine().Status().Renditions[0].NewestKnown
	for name, v := range map[string]*viewer.Server{"v2.3": v2, "v3": v3} {
		r := inprocess.AwaitPlayed(t, 8*time.Second, v)
		checkClean(t, r)
		if r.Total.Offload < 0.9 {
			t.Errorf("%s: offload %.3f, want at least 0.9", name, r.Total.Offload)
		}
	}
	if made, seen := sd.Engine().Counters().OriginRequests-requests, sd.Engine().Status().Renditions[0].NewestKnown-newest; made > seen+1 || seen < 4 {
		t.Errorf("the seeder asked the origin %d times for %d segments", made, seen)
	}
	stop2()
	stop3()
}

// TestViewersElect has only viewers of generation v3: of those that are connected, one asks the origin for each segment.
func TestViewersElect(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_15/ren_1/master.m3u8")
	s.UseGenerations(t, "v3")
	const viewers = 5
	v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count, c.Generations = viewers, []string{"v3"} })
	r := inprocess.AwaitPlayed(t, 16*time.Second, v)
	checkClean(t, r)
	if r.Total.Offload < 0.6 {
		t.Errorf("offload %.3f, want at least 0.6: %d viewers with one copy have %.2f", r.Total.Offload, viewers, 1-1.0/viewers)
	}
	stop()
}

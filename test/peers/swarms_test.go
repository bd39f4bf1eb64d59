package peers

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestEightSwarmsAtOnce lets one seeder and one viewer share every rendition, the audio and both
// generations: eight connections between two programs, one of which muxes them all on one port.
func TestEightSwarmsAtOnce(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_10/fmp4/audio/master.m3u8")
	s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	v, stop := startViewers(t, s, func(c *viewer.Config) {
		c.Renditions = []string{viewer.AllRenditions}
		c.Generations = []string{"v2.2", "v2.3"}
	})
	const swarms = 8
	peers := func() int {
		r := v.Snapshot()
		if len(r.Viewers) == 0 {
			return 0
		}
		return r.Viewers[0].Peers
	}
	lab.Eventually(t, 30*time.Second, "eight connections", func() bool { return peers() == swarms })
	r := inprocess.AwaitPlayed(t, 20*time.Second, v)
	checkClean(t, r)
	if got := peers(); got != swarms {
		t.Errorf("%d connections after 20 s, want %d", got, swarms)
	}
	if r.Total.Offload < 0.95 {
		t.Errorf("offload %.3f, want at least 0.95", r.Total.Offload)
	}
	st := s.Stats(t)
	for _, rendition := range st.Renditions {
		if len(rendition.Swarms) != 2 {
			t.Errorf("%s: %d swarms, want one a generation", rendition.Name, len(rendition.Swarms))
		}
		for _, swarm := range rendition.Swarms {
			if swarm.Peers != 2 || swarm.Seeders != 1 {
				t.Errorf("%s %s: %d peers, %d seeders; want 2 and 1", rendition.Name, swarm.Generation, swarm.Peers, swarm.Seeders)
			}
		}
	}
	stop()
}

// TestViewersShareWithoutASeeder has only viewers: the origin is asked about once for each segment.
func TestViewersShareWithoutASeeder(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_15/master.m3u8")
	v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count = 6 })
	r := inprocess.AwaitPlayed(t, 25*time.Second, v)
	checkClean(t, r)
	if r.Total.Offload < 0.5 {
		t.Errorf("offload %.3f, want at least 0.5", r.Total.Offload)
	}
	if r.Total.Copies > 3 {
		t.Errorf("%.2f copies from the origin, want at most 3", r.Total.Copies)
	}
	if r.Total.Bytes.Seeder != 0 {
		t.Errorf("%d bytes from a seeder that is not there", r.Total.Bytes.Seeder)
	}
	stop()
}

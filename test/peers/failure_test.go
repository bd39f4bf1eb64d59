package peers

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

func TestViewersSurviveTheSeeder(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "/live/seg_2/window_10/master.m3u8")
	_, stopSeeder := s.seeder(t, nil)
	s.waitSeeded(t)
	v, stop := s.viewers(t, func(c *viewer.Config) { c.Count = 3 })
	played(t, v, 6*time.Second)
	stopSeeder()
	r := played(t, v, 18*time.Second)
	checkClean(t, r)
	if r.Total.Bytes.HTTP == 0 {
		t.Error("nobody asked the origin after the seeder was gone")
	}
	stop()
}

func TestViewersSurviveTheTracker(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "/live/seg_2/window_10/master.m3u8")
	s.seeder(t, nil)
	s.waitSeeded(t)
	v, stop := s.viewers(t, func(c *viewer.Config) { c.Count = 3 })
	played(t, v, 6*time.Second)

	var total telemetry.Accumulator
	s.accumulate(t, &total)
	played(t, v, 9*time.Second) // bytes that are counted and never read
	address := s.tracker.Addr().String()
	s.stopTracker()
	r := played(t, v, 15*time.Second)
	checkClean(t, r)
	if r.Total.Offload < 0.9 {
		t.Errorf("offload %.3f without a tracker: connections were lost", r.Total.Offload)
	}

	s.startTracker(t, address)
	eventually(t, 30*time.Second, "all to come back to the new tracker", func() bool {
		st := s.stats(t)
		return st.ViewerSockets == 3 && st.SeederSockets == 1 && st.Reporting == 3
	})
	stop() // viewers report once more when they leave
	own := v.Snapshot().Total.Bytes
	want := own.HTTP + own.Seeder + own.Viewer
	var got int64
	agree := func() bool { // the last reports have arrived, and the stats are made anew every quarter of a second
		got = s.accumulate(t, &total).Received()
		diff := float64(got-want) / float64(want)
		return diff < 0.02 && diff > -0.02
	}
	eventually(t, 5*time.Second, "stats and viewers to agree within 2 % over the tracker's restart", agree)
	t.Logf("tracker counted %d bytes over its restart, viewers %d", got, want)
}

func TestOriginFaults(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"a fifth of the segments truncated": "/live/seg_2/window_10/truncate_20/master.m3u8",
		"a fifth of the requests refused":   "/live/seg_2/window_10/status_503_20/master.m3u8",
		"slow to answer":                    "/live/seg_2/window_10/slow_300/master.m3u8",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, path)
			sd, _ := s.seeder(t, nil)
			s.waitSeeded(t)
			// What is missing at the start is no seeder's fault; from then on it has the window's length to try again.
			eventually(t, 60*time.Second, "the seeder to hold the window", func() bool { return holdsAll(sd) })
			v, stop := s.viewers(t, func(c *viewer.Config) { c.Count, c.Verify = 2, false })
			r := played(t, v, 12*time.Second)
			dump(t, r)
			if r.Total.Stalls != 0 || r.Total.Offload < 0.8 {
				t.Errorf("%+v", r.Total)
			}
			stop()
		})
	}
}

func holdsAll(sd *seeder.Server) bool {
	for _, r := range sd.Engine().Status().Renditions {
		if r.Error != "" || r.Held < r.Known || r.Known == 0 {
			return false
		}
	}
	return true
}

// TestOriginAway stops the origin: what the swarm holds goes on being shared, and everything recovers by
// itself when it is back.
func TestOriginAway(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "/live/seg_2/window_10/master.m3u8")
	sd, _ := s.seeder(t, nil)
	s.waitSeeded(t)
	first, stopFirst := s.viewers(t, nil)
	played(t, first, 4*time.Second)
	peers := sd.Engine().Peers()
	s.stopOrigin()
	eventually(t, 20*time.Second, "the seeder to say why it falls behind", func() bool {
		for _, r := range sd.Engine().Status().Renditions {
			if r.Error == "" {
				return false
			}
		}
		return true
	})
	if got := sd.Engine().Peers(); got < peers {
		t.Errorf("%d connections with the origin away, %d before", got, peers)
	}
	s.startOrigin(t)
	eventually(t, 30*time.Second, "the seeder to catch up", func() bool { return holdsAll(sd) })
	stopFirst()
}

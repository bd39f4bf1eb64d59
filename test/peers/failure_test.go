package peers

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

func TestViewersSurviveTheSeeder(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_10/master.m3u8")
	_, stopSeeder := s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count = 3 })
	inprocess.AwaitPlayed(t, 6*time.Second, v)
	stopSeeder()
	r := inprocess.AwaitPlayed(t, 18*time.Second, v)
	checkClean(t, r)
	if r.Total.Bytes.HTTP == 0 {
		t.Error("no viewer asked the origin after the seeder was gone")
	}
	stop()
}

func TestViewersSurviveTheTracker(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_10/master.m3u8")
	s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count = 3 })
	inprocess.AwaitPlayed(t, 6*time.Second, v)

	var total telemetry.Accumulator
	s.Accumulate(t, &total)
	inprocess.AwaitPlayed(t, 9*time.Second, v) // bytes that are counted and never read
	s.StopTracker()
	r := inprocess.AwaitPlayed(t, 15*time.Second, v)
	checkClean(t, r)
	if r.Total.Offload < 0.9 {
		t.Errorf("offload %.3f without a tracker: connections were lost", r.Total.Offload)
	}

	s.RestartTracker(t)
	lab.Eventually(t, 30*time.Second, "all to come back to the new tracker", func() bool {
		st := s.Stats(t)
		return st.ViewerSockets == 3 && st.SeederSockets == 1 && st.Reporting == 3
	})
	stop() // viewers report once more when they leave
	own := v.Snapshot().Total.Bytes
	want := own.HTTP + own.Seeder + own.Viewer
	var got int64
	agree := func() bool { // the last reports have arrived, and the stats are made anew every quarter of a second
		got = s.Accumulate(t, &total).Received()
		diff := float64(got-want) / float64(want)
		return diff < 0.02 && diff > -0.02
	}
	lab.Eventually(t, 5*time.Second, "stats and viewers to agree within 2 % over the tracker's restart", agree)
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
			s := inprocess.NewStream(t, path)
			sd, _ := s.StartSeeder(t, nil)
			s.AwaitSeeded(t)
			// What is missing at the start is no seeder's fault; from then on it has the window's length to try again.
			lab.Eventually(t, 60*time.Second, "the seeder to hold the window", inprocess.HoldsWindow(sd))
			v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count, c.Verify = 2, false })
			r := inprocess.AwaitPlayed(t, 12*time.Second, v)
			logReport(t, r)
			if r.Total.Stalls != 0 || r.Total.Offload < 0.8 {
				t.Errorf("%+v", r.Total)
			}
			stop()
		})
	}
}

// TestOriginAway stops the origin: what the swarm holds goes on being shared, and everything recovers by
// itself when it is back.
func TestOriginAway(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_10/master.m3u8")
	sd, _ := s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	first, stopFirst := startViewers(t, s, nil)
	inprocess.AwaitPlayed(t, 4*time.Second, first)
	peers := sd.Engine().Peers()
	s.StopOrigin()
	lab.Eventually(t, 20*time.Second, "the seeder to say why it falls behind", func() bool {
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
	s.RestartOrigin(t)
	lab.Eventually(t, 30*time.Second, "the seeder to catch up", inprocess.HoldsWindow(sd))
	stopFirst()
}

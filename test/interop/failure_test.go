package interop

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/netns"
)

// Streams whose playback is the same test, by name.
var liveAndVOD = map[string]string{"live": "/live/master.m3u8", "vod": "/vod/dur_120/master.m3u8"}

// TestPlaybackSurvives kills programs with SIGKILL in the middle of a minute.
func TestPlaybackSurvives(t *testing.T) {
	t.Parallel()
	kills := map[string]func(*stream){
		"seeder killed":  func(s *stream) { s.seeder.Kill() },
		"tracker killed": func(s *stream) { s.tracker.Kill() },
	}
	for name, kill := range kills {
		for kind, path := range liveAndVOD {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				pool.Take(t, 2)
				s := startStream(t, path, nil)
				s.startSeeder(t)
				b := sharedBrowser(t)
				tabs := openTabs(t, 2, func() *browser.Tab { return b.OpenHLSFrom(t.Context(), s.http("/v1/config")) })
				<-time.After(time.Until(tabs[0].opened.Add(minute / 2)))
				kill(s)
				reports := watch(t, tabs)
				checkSmooth(t, reports)
				verifySegments(t, reports...)
				total := browser.Total(reports...)
				t.Logf("offload %.4f (%+v)", total.Offload(), total)
				if total.Seeder == 0 {
					t.Error("the seeder gave nothing before it was killed")
				}
			})
		}
	}
}

// TestNoUDP plays where UDP is dropped, so that no peer can be reached: nothing stalls.
func TestNoUDP(t *testing.T) {
	t.Parallel()
	for kind, path := range liveAndVOD {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			pool.Take(t, 2)
			s, b := startStreamWithoutUDP(t, path)
			tabs := openTabs(t, 2, func() *browser.Tab { return b.OpenHLSFrom(t.Context(), s.http("/v1/config")) })
			reports := watch(t, tabs)
			checkSmooth(t, reports)
			for _, r := range reports {
				checkNoPeers(t, r)
			}
			verifySegments(t, reports...)
		})
	}
}

// TestFirstFrameWithoutUDP limits what the settings cost that make a page wait for peers: where UDP is dropped, the first
// frame of a VOD comes at most 400 ms later than without P2P. Of a live stream, the cluster's suite says so. It is not
// parallel, so that no other test runs beside it.
func TestFirstFrameWithoutUDP(t *testing.T) {
	const limitMs = 400
	ctx := t.Context()
	s, b := startStreamWithoutUDP(t, liveAndVOD["vod"])
	first := browser.CompareFirstFrames(limitMs, func() int {
		tab := b.OpenPlain(ctx, s.source)
		defer tab.Close()
		return tab.WaitPlaying(ctx).FirstFrameMs
	}, func() int {
		tab := b.OpenHLSFrom(ctx, s.http("/v1/config"))
		defer tab.Close()
		began := tab.WaitPlaying(ctx)
		checkNoPeers(t, tab.WaitFor(ctx, 30*time.Second, "a segment", func(r browser.Report) bool { return len(r.Segments) >= 1 }))
		return began.FirstFrameMs
	})
	t.Logf("first frame, ms: plain %v, with settings %v", first.Plain, first.Shared)
	if !first.Within {
		t.Errorf("the median first frame comes more than %d ms later than by plain HTTP", limitMs)
	}
}

// startStreamWithoutUDP starts a stream, and a browser in a network that drops UDP.
func startStreamWithoutUDP(t *testing.T, path string) (*stream, *browser.Browser) {
	t.Helper()
	n := netns.New(t)
	n.DropUDP()
	s := startStream(t, path, n)
	s.startSeeder(t)
	return s, startBrowser(t, browser.InNamespace(n))
}

func checkNoPeers(t *testing.T, r browser.Report) {
	t.Helper()
	if r.PeersSeen > 0 || r.Bytes.Seeder > 0 || r.Bytes.Viewer > 0 {
		t.Errorf("UDP is not blocked: %s", r.Dump())
	}
}

package interop

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/netns"
)

// TestPlaybackSurvives kills programs in the middle of a minute, as a machine does: without a word.
func TestPlaybackSurvives(t *testing.T) {
	kills := map[string]func(*stream){
		"seeder killed":  func(s *stream) { s.seeder.kill() },
		"tracker killed": func(s *stream) { s.tracker.kill() },
	}
	for name, kill := range kills {
		for kind, path := range map[string]string{"live": "/live/master.m3u8", "vod": "/vod/dur_120/master.m3u8"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				takeSeats(t, 2)
				s := startStream(t, path, nil)
				s.startSeeder()
				b := startBrowser(t)
				tabs, opened := open(t, 2, func() *browser.Tab { return b.OpenHLSFrom(t.Context(), s.http("/v1/config")) })
				<-time.After(time.Until(opened[0].Add(minute / 2)))
				kill(s)
				reports := watch(t, tabs, opened)
				checkSmooth(t, reports)
				s.origin.verify(t, reports...)
				total := browser.Total(reports...)
				t.Logf("offload %.4f (%+v)", total.Offload(), total)
				if total.Seeder == 0 {
					t.Error("the seeder gave nothing before it was killed")
				}
			})
		}
	}
}

// TestNoUDP holds the settings that wait for peers to their price: where no peer can be reached, the
// first frame comes at most 400 ms later than without P2P, and nothing stalls.
func TestNoUDP(t *testing.T) {
	const priceMs = 400
	for kind, path := range map[string]string{"live": "/live/master.m3u8", "vod": "/vod/dur_120/master.m3u8"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			takeSeats(t, 2)
			ctx := t.Context()
			n := netns.New(t)
			n.DropUDP()
			s := startStream(t, path, n)
			s.startSeeder()
			b := startBrowser(t, browser.InNamespace(n))
			first := firstFrames(t, b, s)
			t.Logf("first frame, ms: plain %v, with settings %v", first.Plain, first.Shared)
			if late := first.Late(); late > priceMs {
				t.Errorf("first frame %d ms later than plain HTTP, want at most %d", late, priceMs)
			}
			tabs, opened := open(t, 2, func() *browser.Tab { return b.OpenHLSFrom(ctx, s.http("/v1/config")) })
			reports := watch(t, tabs, opened)
			checkSmooth(t, reports)
			s.origin.verify(t, reports...)
		})
	}
}

// firstFrames opens pages without and with the stream's settings in turns, and tells after how many milliseconds each
// showed its first picture. No other page starts meanwhile.
func firstFrames(t *testing.T, b *browser.Browser, s *stream) browser.FirstFrames {
	t.Helper()
	startups.Lock()
	defer startups.Unlock()
	ctx := t.Context()
	return browser.CompareFirstFrames(func() int {
		tab := b.OpenPlain(ctx, s.source)
		defer tab.Close()
		return tab.WaitPlaying(ctx).FirstFrameMs
	}, func() int {
		tab := b.OpenHLSFrom(ctx, s.http("/v1/config"))
		defer tab.Close()
		began := tab.WaitPlaying(ctx)
		r := tab.WaitFor(ctx, 30*time.Second, "8 s of buffer", func(r browser.Report) bool { return len(r.Segments) >= 2 })
		if r.PeersSeen > 0 || r.Bytes.Seeder > 0 {
			t.Errorf("UDP is not blocked: %s", r.Dump())
		}
		return began.FirstFrameMs
	})
}

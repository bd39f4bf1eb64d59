package interop

import (
	"context"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/interop/published"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/netns"
)

// Of our programs, these tests have only the origin: they prove that the harness sees what
// happens, and what the published software does by itself.

// sharing are settings with which a second tab gets most of a VOD from the first.
func sharing(streamURL, tracker string) browser.Config {
	return browser.Config{
		V: 1, StreamURL: streamURL, SwarmID: streamURL, Trackers: []string{tracker}, ICEServers: []browser.ICEServer{},
		Settings: browser.Settings{Core: map[string]any{
			"highDemandTimeWindow": 4, "httpDownloadTimeWindow": 20, "httpDownloadInitialTimeoutMs": 1000,
		}},
	}
}

type opener func(*browser.Browser, context.Context, browser.Config, ...browser.TabOption) *browser.Tab

var openers = map[string]opener{"hls": (*browser.Browser).OpenHLS, "shaka": (*browser.Browser).OpenShaka}

// shareBetweenTwo opens two tabs one after the other and waits until one took segments from the other. Mostly that
// is the second; live, two players in step ask for each segment in the same order, and either may be ahead.
func shareBetweenTwo(t *testing.T, open opener, cfg browser.Config) {
	t.Helper()
	pool.Take(t, 2)
	ctx, b := t.Context(), sharedBrowser(t)
	tabs := openTabs(t, 2, func() *browser.Tab { return open(b, ctx, cfg, browser.WithLevel(0)) })
	first, second := tabs[0], tabs[1]
	second.WaitFor(ctx, 30*time.Second, "bytes from one tab in the other", func(r browser.Report) bool {
		return tookSegments(r) || tookSegments(first.Report(ctx))
	})
	reports := []browser.Report{first.Report(ctx), second.Report(ctx)}
	for i, r := range reports {
		t.Log(r)
		if r.Rebuffers() > 0 || len(r.Errors) > 0 {
			t.Errorf("a tab stalled or failed: %s", r.Dump())
		}
		if tookSegments(r) && reports[1-i].UploadBytes == 0 {
			t.Error("the tab that gave counted no upload")
		}
	}
	verifySegments(t, reports...)
}

func tookSegments(r browser.Report) bool { return r.Bytes.Viewer > 0 && countSource(r, "p2p") >= 2 }

func TestPublishedPlayersOnPublishedTracker(t *testing.T) {
	t.Parallel()
	o := startOrigin(t, loopback)
	tracker := published.StartTracker(t)
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shareBetweenTwo(t, open, sharing(o.url("/vod/dur_120/seg_2/master.m3u8"), tracker.URL))
		})
	}
}

func TestPublishedClientsOnPublishedTracker(t *testing.T) {
	t.Parallel()
	clientsMeet(t, published.StartTracker(t).URL)
}

// clientsMeet lets two bare tracker clients find each other and exchange a message.
func clientsMeet(t *testing.T, tracker string) {
	t.Helper()
	pool.Take(t, 1)
	ctx, b := t.Context(), sharedBrowser(t)
	const infoHash, a, z = "interop-info-hash-01", "-WW0000-first-peer-a", "-WW0000-other-peer-z"
	first := b.OpenTrackerClient(ctx, tracker, infoHash, a)
	first.WaitFor(ctx, 10*time.Second, "an answer to its announce", func(r browser.Report) bool { return len(r.Updates) > 0 })
	second := b.OpenTrackerClient(ctx, tracker, infoHash, z)
	for tab, other := range map[*browser.Tab]string{first: z, second: a} {
		r := tab.WaitFor(ctx, 20*time.Second, "a message from the other", func(r browser.Report) bool { return r.Received[other] != "" })
		if got, want := r.Received[other], "hello from "+other; got != want {
			t.Errorf("received %q, want %q", got, want)
		}
		if len(r.Errors) > 0 {
			t.Errorf("a client failed: %s", r.Dump())
		}
	}
}

// TestPlainPlayerNeverStalls is the control: the origin and this machine are fast enough that a stall
// elsewhere means something.
func TestPlainPlayerNeverStalls(t *testing.T) {
	t.Parallel()
	o := startOrigin(t, loopback)
	for name, path := range map[string]string{"live": "/live/master.m3u8", "vod": "/vod/dur_60/master.m3u8"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool.Take(t, 1)
			ctx, b := t.Context(), sharedBrowser(t)
			tab := openTabs(t, 1, func() *browser.Tab { return b.OpenPlain(ctx, o.url(path)) })[0]
			begin := tab.Report(ctx)
			r := tab.WaitFor(ctx, 30*time.Second, "6 s of playback", func(r browser.Report) bool { return r.CurrentTime > begin.CurrentTime+6 })
			t.Log(r)
			if r.Rebuffers() > 0 || len(r.Errors) > 0 || r.Bytes.HTTP == 0 {
				t.Errorf("plain playback: %s", r.Dump())
			}
		})
	}
}

// TestStallIsSeen takes the origin away from a plain player, which must stop and be seen to.
func TestStallIsSeen(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	ctx, b := t.Context(), sharedBrowser(t)
	o := startOrigin(t, loopback)
	tab := openTabs(t, 1, func() *browser.Tab { return b.OpenPlain(ctx, o.url("/live/seg_2/window_4/master.m3u8")) })[0]
	o.stop()
	r := tab.WaitFor(ctx, 60*time.Second, "a stall", func(r browser.Report) bool { return r.Stalls > 0 && r.StalledNowMs > 1000 })
	t.Log(r)
}

// TestBrowserWithoutUDP proves that a browser in a network that drops UDP plays, and gets nothing from peers.
func TestBrowserWithoutUDP(t *testing.T) {
	t.Parallel()
	pool.Take(t, 2)
	ctx := t.Context()
	n := netns.New(t)
	n.DropUDP()
	o := startOrigin(t, n.HostIP.String())
	tracker := published.StartTracker(t, published.Listen(n.HostIP.String()))
	b := startBrowser(t, browser.InNamespace(n))
	cfg := sharing(o.url("/vod/dur_120/seg_2/master.m3u8"), tracker.URL)
	tabs := openTabs(t, 2, func() *browser.Tab { return b.OpenHLS(ctx, cfg) })
	for _, tab := range tabs {
		r := tab.WaitFor(ctx, 30*time.Second, "8 s of playback", func(r browser.Report) bool { return r.CurrentTime > 8 })
		t.Log(r)
		if r.PeersSeen > 0 || r.Bytes.Viewer > 0 {
			t.Errorf("UDP is not blocked: %s", r.Dump())
		}
		if r.Rebuffers() > 0 || len(r.Errors) > 0 || r.Bytes.HTTP == 0 {
			t.Errorf("playback without UDP: %s", r.Dump())
		}
	}
	verifySegments(t, tabs[0].Report(ctx), tabs[1].Report(ctx))
}

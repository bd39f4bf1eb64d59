package interop

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestSDKPages plays one stream on pages that use the viewer SDK in each way, and on pages that lack something. Then the
// tracker is killed. None of them ever stalls.
func TestSDKPages(t *testing.T) {
	t.Parallel()
	pages := map[string]struct {
		open func(*testing.T, *browser.Browser, *stream) *browser.Tab
		want []string // states in this order, others between them
		p2p  bool     // bytes come from peers
	}{
		"attach": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{Attach: true, URL: s.http("/"), Source: s.source})
		}, []string{"http joining", "p2p"}, true},
		"play": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: s.http("/")})
		}, []string{"http joining", "p2p"}, true},
		"script": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenURL(t.Context(), scriptPage(t, s, "muted autoplay"))
		}, []string{"http joining", "p2p"}, true},
		"settings away at first": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: troubled(t, s, "/v1/config", 2, http.StatusServiceUnavailable), Source: s.source})
		}, []string{"http config-unreachable", "http joining", "p2p"}, true},
		"engine blocked": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: troubled(t, s, "/vendor/", 1000, http.StatusNotFound), Source: s.source, OwnPlayer: true})
		}, []string{"http engine-blocked"}, false},
		"no WebRTC": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: s.http("/"), Without: []string{"RTCPeerConnection"}})
		}, []string{"http no-webrtc"}, false},
		// As on iPhones before iOS 17.1: the browser plays the stream itself.
		"no MSE": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: s.http("/"), Source: s.source, Without: []string{"MediaSource", "ManagedMediaSource"}})
		}, []string{"http no-mse"}, false},
		"player blocked": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: troubled(t, s, "/vendor/", 1000, http.StatusServiceUnavailable), Source: s.source})
		}, []string{"http player-blocked"}, false},
		"entrance fails": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: troubled(t, s, "/", 100_000, http.StatusServiceUnavailable), Source: s.source, OwnPlayer: true})
		}, []string{"http config-unreachable"}, false},
		"entrance away": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenSDK(t.Context(), browser.SDKPage{URL: away(t), Source: s.source, OwnPlayer: true})
		}, []string{"http config-unreachable"}, false},
		// Without the script the browser plays what the element names.
		"script missing": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenURL(t.Context(), pageOf(t, troubled(t, s, "/p2pstream.js", 1000, http.StatusNotFound), "", sourced(s)))
		}, nil, false},
		"script away": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenURL(t.Context(), pageOf(t, away(t), "", sourced(s)))
		}, nil, false},
		"script blocked": {func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
			return b.OpenURL(t.Context(), pageOf(t, s.http("/"), "script-src 'unsafe-inline'", sourced(s)))
		}, nil, false},
	}
	pool.Take(t, len(pages))
	ctx := t.Context()
	s := startStream(t, liveAndVOD["live"], nil)
	s.startSeeder(t)
	b := sharedBrowser(t)
	tabs := map[string]*browser.Tab{}
	for name, page := range pages {
		tabs[name] = openTabs(t, 1, func() *browser.Tab { return page.open(t, b, s) })[0].Tab
	}
	for name, page := range pages {
		r := tabs[name].WaitFor(ctx, 30*time.Second, name+": its states", func(r browser.Report) bool {
			return inOrder(r.States, page.want) && (!page.p2p || r.Reported.Seeder+r.Reported.Viewer > 0)
		})
		t.Logf("%s: %v, counted %+v", name, r.States, r.Reported)
	}
	lab.Eventually(t, 30*time.Second, "the pages with peers to report", func() error {
		st, err := s.stats(t)
		if err == nil && (st.Reporting < 4 || st.Offload.Totals.Seeder == 0) {
			err = fmt.Errorf("%d pages report %+v", st.Reporting, st.Offload.Totals)
		}
		return err
	})
	s.tracker.Kill()
	const more = 5 // seconds of playback, longer than the buffer of a page that waits for a tracker
	for name, tab := range tabs {
		from := tab.Report(ctx).CurrentTime
		r := tab.WaitFor(ctx, 30*time.Second, name+": to play without a tracker", func(r browser.Report) bool { return r.CurrentTime > from+more })
		if r.Rebuffers() > 0 || len(r.Errors) > 0 {
			t.Errorf("%s stalled or failed: %s", name, r.Dump())
		}
	}
}

// TestAutoplayRefused plays with sound in a browser that starts nothing by itself: the page says so, and plays once the user clicks,
// with peers and without a stall.
func TestAutoplayRefused(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	ctx := t.Context()
	s := startStream(t, liveAndVOD["vod"], nil)
	s.startSeeder(t)
	b := startBrowser(t, browser.RefuseAutoplay())
	var tab *browser.Tab
	pool.Start(func() {
		tab = b.OpenURL(ctx, scriptPage(t, s, "autoplay"))
		r := tab.WaitFor(ctx, time.Minute, "the refusal", func(r browser.Report) bool { return slices.Contains(r.States, "autoplay refused") })
		if r.CurrentTime > 0 {
			t.Errorf("it plays before the click: %s", r.Dump())
		}
	})
	tab.Click(ctx, `video.play()`)
	r := tab.WaitFor(ctx, time.Minute, "the page to play with peers", func(r browser.Report) bool {
		return r.CurrentTime > 10 && r.Reported.Seeder > 0 && slices.Contains(r.States, "p2p")
	})
	t.Logf("%v, counted %+v", r.States, r.Reported)
	checkSmooth(t, []browser.Report{r})
	if !browser.Value[bool](ctx, tab, `video.p2pstream.state.autoplayRefused === undefined`) {
		t.Error("it still says that autoplay is refused")
	}
}

// inOrder tells whether want are among the states, in this order.
func inOrder(states, want []string) bool {
	for _, s := range states {
		if len(want) > 0 && s == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

func TestInOrder(t *testing.T) {
	t.Parallel()
	if states := []string{"starting", "http joining", "p2p"}; !inOrder(states, states[1:]) || inOrder(states, []string{"p2p", "http joining"}) || inOrder(nil, states) {
		t.Error("inOrder is wrong")
	}
}

// troubled is the URL of an entrance that answers the first requests below a path with a status, and else as the tracker does.
func troubled(t *testing.T, s *stream, below string, times int32, status int) string {
	t.Helper()
	var asked atomic.Int32
	to := lab.Must[*url.URL](t)(url.Parse(s.http("/")))
	tracker := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	entrance := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, below) && asked.Add(1) <= times {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.WriteHeader(status)
			return
		}
		tracker.ServeHTTP(w, r)
	}))
	t.Cleanup(entrance.Close)
	return entrance.URL + "/"
}

// away is the URL of an entrance that refuses connections.
func away(t *testing.T) string {
	t.Helper()
	l := lab.Must[net.Listener](t)(net.Listen("tcp", lab.LoopbackAddress())) // no other server will have this address
	_ = l.Close()
	return "http://" + l.Addr().String() + "/"
}

// sourced are the attributes of a video element that names its stream.
func sourced(s *stream) string { return fmt.Sprintf("muted autoplay src=%q", s.source) }

// scriptPage serves a page with the script of a stream's tracker, see pageOf.
func scriptPage(t *testing.T, s *stream, attributes string) string {
	t.Helper()
	return pageOf(t, s.http("/"), "", attributes)
}

// pageOf serves a page without a build, on an origin of its own, and returns its URL. It fills in as much of a report as
// its element tells: waiting for 250 ms after the first frame is a stall, as in the other pages.
//
// policy is its Content-Security-Policy; attributes are those of the element that have to do with source, sound and start.
func pageOf(t *testing.T, entrance, policy, attributes string) string {
	t.Helper()
	const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>script</title>
<link rel="icon" href="data:,">
<video id="video" ATTRIBUTES playsinline width="16" height="9"></video>
<script>
const video = document.getElementById("video");
window.report = { ready: true, firstFrameMs: -1, stalls: 0, stallDetails: [], states: [], segments: [], errors: [], notes: [], reported: {} };
addEventListener("error", (e) => report.errors.push(e.message));
addEventListener("unhandledrejection", (e) => report.errors.push(String(e.reason)));
video.addEventListener("playing", () => { if (report.firstFrameMs < 0) report.firstFrameMs = Math.round(performance.now()); });
video.addEventListener("waiting", () => {
  // At position 0 nothing has been played yet: Chromium's own player of HLS says "playing" before it has data.
  if (report.firstFrameMs < 0 || video.seeking || !video.currentTime) return;
  const time = video.currentTime;
  let buffered = 0;
  for (let i = 0; i < video.buffered.length; i++) {
    if (video.buffered.start(i) <= video.currentTime + 0.1) buffered = Math.max(0, video.buffered.end(i) - video.currentTime);
  }
  const stall = { atMs: Math.round(performance.now()), ms: -1, time, buffered, lateMs: 0 };
  setTimeout(() => {
    if (video.currentTime != time || video.seeking || video.paused) return;
    report.stalls++;
    report.stallDetails.push(stall);
  }, 250);
});
video.addEventListener("timeupdate", () => {
  report.currentTime = video.currentTime;
  report.reported = { ...video.p2pstream?.counters };
});
video.addEventListener("p2pstreamstate", ({ detail }) => {
  report.states.push(detail.reason ? detail.mode + " " + detail.reason : detail.mode);
  if (detail.autoplayRefused) report.states.push("autoplay refused");
});
</script>
<script src="TRACKER/p2pstream.js" data-video="#video"></script>
</html>
`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		_, _ = strings.NewReplacer("TRACKER", strings.TrimSuffix(entrance, "/"), "ATTRIBUTES", attributes).WriteString(w, page) // a page that went away needs no answer
	}))
	t.Cleanup(server.Close)
	return server.URL
}

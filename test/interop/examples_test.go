package interop

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// page opens a page of a stream in one of the ways that pages of customers are made.
type page struct {
	name string
	open func(*testing.T, *browser.Browser, *stream) *browser.Tab
}

// example is one of web/examples. play is what a user does to start it.
func example(name, play string) page {
	return page{name, func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
		t.Helper()
		tab := b.OpenURL(t.Context(), serveExamples(t, s)+"/"+name+".html")
		lab.Eventually(t, 30*time.Second, "the page to be there", func() bool {
			return browser.Value[bool](t.Context(), tab, `!!window.report?.ready`)
		})
		tab.Eval(t.Context(), play)
		return tab
	}}
}

// pressPlay is what a user does, who may be earlier than the player: nothing waits for it.
const pressPlay = `document.querySelector("video").play().catch(() => {}) && undefined`

// Pages in which the player is Video.js, or part of a React application, or the page's own, or the entrance's.
var (
	ownHLS   = example("hls", pressPlay)
	ownShaka = example("shaka", pressPlay)
	videoJS  = example("videojs", `document.querySelector(".vjs-big-play-button").click()`)
	react    = example("react", pressPlay)
	sdkPlay  = page{"play", func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
		t.Helper()
		return b.OpenSDK(t.Context(), browser.SDKPage{URL: s.http("/")})
	}}
	withoutSDK = page{"without SDK", func(t *testing.T, b *browser.Browser, s *stream) *browser.Tab {
		t.Helper()
		open := b.OpenHLSFrom
		if strings.HasSuffix(s.source, ".mpd") {
			open = b.OpenShakaFrom
		}
		return open(t.Context(), s.http("/v1/config"), withScript(s))
	}}
)

// TestPagesAndTrackerAgree plays a stream in four pages that are made in different ways. All play with bytes from peers and
// without a stall, and the offload that the tracker tells is what the pages measured themselves.
func TestPagesAndTrackerAgree(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path  string
		pages []page
	}{
		"HLS live":  {liveAndVOD["live"], []page{ownHLS, videoJS, react, withoutSDK}},
		"HLS VOD":   {liveAndVOD["vod"], []page{react, videoJS, sdkPlay, withoutSDK}},
		"DASH live": {dashPaths["live"], []page{sdkPlay, react, ownShaka, withoutSDK}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testPages(t, tt.path, tt.pages)
		})
	}
}

func testPages(t *testing.T, path string, pages []page) {
	t.Helper()
	pool.Take(t, len(pages))
	ctx := t.Context()
	s := startStream(t, path, nil)
	s.startSeeder(t)
	b := sharedBrowser(t)
	tabs := make([]openTab, len(pages))
	for i, p := range pages {
		tabs[i] = openTabs(t, 1, func() *browser.Tab { return p.open(t, b, s) })[0]
	}
	const least = 10 // seconds of playback
	for i, p := range pages {
		from := tabs[i].Report(ctx).CurrentTime
		r := tabs[i].WaitFor(ctx, time.Minute, p.name+": to play with peers", func(r browser.Report) bool {
			return (r.Ended || r.CurrentTime >= from+least) && r.Bytes.Seeder+r.Bytes.Viewer > 0
		})
		t.Logf("%s: %v %s", p.name, r.States, r)
	}
	read := func() (reports []browser.Report) {
		for _, tab := range tabs {
			reports = append(reports, tab.Report(ctx))
		}
		return reports
	}
	before := read()
	var said browser.Bytes
	lab.Eventually(t, time.Minute, "the pages' reports to arrive", func() error {
		st, err := s.stats(t)
		if err != nil {
			return err
		}
		totals := st.Offload.Totals
		said = browser.Bytes{HTTP: totals.HTTP, Seeder: totals.Seeder, Viewer: totals.Viewer}
		if own := browser.Total(before...).All(); st.Reporting < len(pages) || said.All() < own*98/100 {
			return fmt.Errorf("%d pages report %d bytes, and measured %d", st.Reporting, said.All(), own)
		}
		return nil
	})
	after := read()
	checkSmooth(t, after)
	checkAgreement(t, said, browser.Total(before...), browser.Total(after...))
}

// checkAgreement compares what the tracker tells with what pages measured before it was asked, and after: they go on playing.
func checkAgreement(t *testing.T, said, before, after browser.Bytes) {
	t.Helper()
	t.Logf("offload %.4f (%+v); pages measured %.4f before and %.4f after (%+v)", said.Offload(), said, before.Offload(), after.Offload(), after)
	if said.All() > after.All()*102/100 {
		t.Errorf("the tracker tells of %d bytes, and pages measured %d", said.All(), after.All())
	}
	const points = 0.02
	if low, high := math.Min(before.Offload(), after.Offload()), math.Max(before.Offload(), after.Offload()); said.Offload() < low-points || said.Offload() > high+points {
		t.Errorf("the tracker tells of an offload of %.4f, and pages measured %.4f to %.4f", said.Offload(), low, high)
	}
}

// serveExamples serves the pages of web/examples as scripts/web.sh has bundled them, with the URLs of this stream, from an
// origin of their own. It returns their base URL.
func serveExamples(t *testing.T, s *stream) string {
	t.Helper()
	fill := strings.NewReplacer("https://entrance.example.com/events/town-hall/", s.http("/"), "https://origin.example.com/town-hall/master.m3u8", s.source)
	files, err := os.OpenRoot("dist/examples")
	if err != nil {
		t.Fatalf("finding the bundled examples: %v; run: make web", err)
	}
	t.Cleanup(func() { _ = files.Close() })
	types := map[string]string{".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := files.ReadFile(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", types[filepath.Ext(r.URL.Path)])
		_, _ = fill.WriteString(w, string(content)) // a page that went away needs no answer
	}))
	t.Cleanup(server.Close)
	return server.URL
}

package interop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestPlayerPage opens the tracker's own page as a person does: it plays either format, with bytes from the seeder, and
// reports. Its menus, keys and button for the live edge do what they say, and everyone can use it.
func TestPlayerPage(t *testing.T) {
	t.Parallel()
	for format, path := range map[string]string{"HLS": liveAndVOD["live"], "DASH": dashPaths["live"]} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			testPlayerPage(t, path, format)
		})
	}
}

// playerPage is an open player page.
type playerPage struct {
	t *testing.T
	*browser.Tab
}

// openPlayer opens the page of a stream, with a query, and waits until it plays.
func openPlayer(t *testing.T, b *browser.Browser, s *stream, query string) (p playerPage) {
	t.Helper()
	pool.Start(func() {
		p = playerPage{t, b.OpenURL(t.Context(), s.http("/player"+query))}
		p.eventually("the page to play", `video.played.length > 0 && video.currentTime > 0`)
	})
	return p
}

// is evaluates an expression about the page, which knows its video, and text and shown by the id of an element.
func (p playerPage) is(expression string) bool {
	p.t.Helper()
	return evaluate[bool](p, "!!("+expression+")")
}

// says is is for a text.
func (p playerPage) says(expression string) string {
	p.t.Helper()
	return evaluate[string](p, expression)
}

func evaluate[T any](p playerPage, expression string) T {
	p.t.Helper()
	return browser.Value[T](p.t.Context(), p.Tab, fmt.Sprintf(`(() => {
		const video = document.getElementById("video");
		const text = (id) => document.getElementById(id).textContent;
		const shown = (id) => document.getElementById(id).getClientRects().length > 0;
		const press = (key, on = video) => { on.focus(); on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); };
		const choose = (id, i) => { const s = document.getElementById(id); s.selectedIndex = i; s.dispatchEvent(new Event("change")); };
		return %s;
	})()`, expression))
}

// does is is for what an expression does.
func (p playerPage) does(expression string) {
	p.t.Helper()
	p.is(expression + `, true`)
}

func (p playerPage) eventually(what, expression string) {
	p.t.Helper()
	lab.Eventually(p.t, time.Minute, what, func() bool { return p.is(expression) })
}

func testPlayerPage(t *testing.T, path, format string) {
	t.Helper()
	pool.Take(t, 1)
	s := startStream(t, path, nil)
	s.startSeeder(t)
	p := openPlayer(t, sharedBrowser(t), s, "")
	lab.Eventually(t, time.Minute, "its report to arrive", func() bool {
		st, err := s.stats(t)
		return err == nil && st.Reporting == 1 && st.Offload.Totals.Seeder > 0
	})
	st, err := s.stats(t)
	if err != nil {
		t.Fatal(err)
	}
	if st.Viewers != 1 || st.Seeders != 1 {
		t.Errorf("%d viewers and %d seeders, want 1 and 1", st.Viewers, st.Seeders)
	}
	p.eventually("figures with units", `/^\d.*B$/.test(text("seeder")) && !text("seeder").startsWith("0 ") && / .?bit\/s$/.test(text("seeder-rate")) &&
		/ %$/.test(text("offload")) && /to seeders/.test(text("peers")) && / s$/.test(text("latency"))`)
	p.eventually("its state in words", `/^Playing, getting video from seeders/.test(text("status")) && !shown("notice")`)

	p.eventually("a menu of qualities", `shown("quality-menu") && document.getElementById("quality").options.length > 2`)
	p.does(`choose("quality", document.getElementById("quality").options.length - 1)`)
	lowest := map[string]string{"HLS": "!p.autoLevelEnabled && p.currentLevel === 0", "DASH": "!p.getConfiguration().abr.enabled"}[format]
	p.eventually("the lowest quality to play", `((p) => `+lowest+`)(globalThis.p2pstreamViewer.player)`)
	if p.is(`shown("audio-menu") || shown("captions-menu")`) {
		t.Error("there are menus for what cannot be chosen")
	}

	p.does(`press("k")`)
	p.eventually("the key to pause", `video.paused`)
	p.does(`press("M"), press("ArrowLeft")`)
	p.eventually("the live edge to be left", `!video.muted && shown("live") && text("live") === "Go to live"`)
	if p.does(`press(" ", document.getElementById("quality"))`); !p.is(`video.paused`) {
		t.Error("a key of the menu plays the video")
	}
	p.does(`document.getElementById("live").click()`)
	p.eventually("the live edge", `!video.paused && text("live") === "Live"`)
	p.does(`choose("quality", 0)`)
	p.eventually("the quality to be the choice of the player", `/^Auto/.test(document.getElementById("quality").selectedOptions[0].text)`)
	checkLooks(t, p.Tab, "player-"+strings.ToLower(format))
}

// TestPlayerPageInFrames: a page of an allowed origin shows the player alone, and a page of another origin does not show it.
func TestPlayerPageInFrames(t *testing.T) {
	t.Parallel()
	pool.Take(t, 2)
	s := startStream(t, liveAndVOD["vod"], nil)
	own, stranger := frameOf(t, s), frameOf(t, s)
	s.tracker.Kill()
	s.startTracker(t, "--allowed-origin", own)
	b := sharedBrowser(t)
	for _, page := range []string{stranger, own} {
		tab := b.OpenURL(t.Context(), page)
		lab.Eventually(t, time.Minute, "the frame to be loaded, or refused", func() bool { return browser.Value[bool](t.Context(), tab, `!!window.framed`) })
	}
	lab.Eventually(t, time.Minute, "the framed player to report", func() bool {
		st, err := s.stats(t)
		return err == nil && st.Reporting > 0
	})
	if st, err := s.stats(t); err != nil || st.Viewers != 1 || st.Reporting != 1 {
		t.Errorf("%d viewers, %d of whom report, want the one in the frame of the allowed page (%v)", st.Viewers, st.Reporting, err)
	}
	p := openPlayer(t, b, s, "?overlay=0")
	if !p.is(`!shown("figures") && !shown("status") && !shown("stream") && video.getBoundingClientRect().height + document.getElementById("toolbar").getBoundingClientRect().height >= innerHeight - 1`) {
		t.Error("with overlay=0 there is more than the player, or it does not fill the page")
	}
}

// frameOf serves a page with the player of a stream in a frame, on an origin of its own, and returns its URL.
func frameOf(t *testing.T, s *stream) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>frame</title><link rel="icon" href="data:,">
<iframe src="%s" width="640" height="360" allow="autoplay; fullscreen" title="Stream" onload="window.framed = true"></iframe></html>`, s.http("/player?overlay=0"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPlayerPageSaysWhatIsWrong: a person who may not watch, or cannot, reads why and what to do.
func TestPlayerPageSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	s := startStream(t, dashPaths["vod"], nil) // which no browser plays by itself
	b := sharedBrowser(t)
	for below, want := range map[string]string{"/v1/config": "does not answer", "/vendor/": "could not be loaded"} {
		p := playerPage{t, b.OpenURL(t.Context(), troubled(t, s, below, 1000, http.StatusServiceUnavailable)+"player")}
		p.eventually("the trouble with "+below+" in words", fmt.Sprintf(`shown("notice") && text("what").includes(%q) && text("todo").length > 20 && text("act") === "Try again"`, want))
		p.Close()
	}
}

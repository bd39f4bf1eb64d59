package interop

import (
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// offloadPaths are the streams whose offload is measured, by name.
var offloadPaths = map[string]string{
	"live, muxed":          "/live/ts/master.m3u8",
	"live, separate audio": "/live/fmp4/audio/master.m3u8",
	"vod, muxed":           "/vod/dur_120/ts/master.m3u8",
	"vod, separate audio":  "/vod/dur_120/fmp4/audio/master.m3u8",
}

// TestOneSeederCarriesOneViewer is the first promise: an unmodified browser, configured by /v1/config alone, gets nearly
// every byte from one Go peer. How soon a page meets its first peer depends on the machine (BenchmarkPageStart), and what
// its player asks for before comes from the origin. So what a page has once it has started counts here, and at the start it
// may have from the origin what it asks for first and, after the first change of quality, asks for again: docs/architecture.md,
// "The settings are the product".
func TestOneSeederCarriesOneViewer(t *testing.T) {
	for name, path := range offloadPaths {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const least, began = 0.98, 3000 // began: milliseconds since the page asked to play
			r := playForAMinute(t, browser.Chromium, path, 1)[0]
			var all, origin int64
			for _, segment := range r.Segments {
				if segment.AtMs < began {
					continue
				}
				all += segment.Size
				if segment.Source == "http" {
					origin += segment.Size
				}
			}
			if all == 0 || float64(all-origin) < least*float64(all) {
				t.Errorf("once it had started, the page had %d of %d bytes from the origin", origin, all)
			}
			// A start costs a segment, a change of quality another one, of each of audio and video.
			if lost := countSource(r, "http"); lost > 2*strings.Count(path, "audio")+2 {
				t.Errorf("%d segments from the origin", lost)
			}
		})
	}
}

// TestOneSeederCarriesTheAudience has four browsers, which also share with each other, with the tracker's script as pages
// should have it: it waits for the first peer where UDP passes.
func TestOneSeederCarriesTheAudience(t *testing.T) {
	t.Parallel()
	for name, path := range offloadPaths {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkOffload(t, playForAMinute(t, browser.Chromium, path, 4, withScript), 0.95)
		})
	}
}

// TestOneSeederCarriesFirefox has one page of Firefox, with the tracker's script.
func TestOneSeederCarriesFirefox(t *testing.T) {
	t.Parallel()
	for name, path := range liveAndVOD {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkOffload(t, playForAMinute(t, browser.Firefox, path, 1, withScript), 0.90)
		})
	}
}

// withScript makes pages load the tracker's script.
func withScript(s *stream) browser.TabOption { return browser.WithReporter(s.http("/p2pstream.js")) }

// playForAMinute plays the stream in n tabs, with one seeder, and returns their reports. No page may stall or play a byte
// that is not the origin's.
func playForAMinute(t *testing.T, in browser.Kind, path string, n int, options ...func(*stream) browser.TabOption) []browser.Report {
	t.Helper()
	pool.Take(t, 2*n) // as many seats stay empty: here it counts how soon a page meets its first peer
	s := startStream(t, path, nil)
	s.startSeeder(t)
	var given []browser.TabOption
	for _, option := range options {
		given = append(given, option(s))
	}
	b := measuredBrowser(t, in)
	warmUp(t, b, s.source)
	reports := watch(t, openTabsAlone(t, n, func() *browser.Tab { return b.OpenHLSFrom(t.Context(), s.http("/v1/config"), given...) }))
	checkSmooth(t, reports)
	verifySegments(t, reports...)
	return reports
}

// checkOffload holds pages together to an offload.
func checkOffload(t *testing.T, reports []browser.Report, least float64) {
	t.Helper()
	total := browser.Total(reports...)
	t.Logf("offload %.4f (%+v)", total.Offload(), total)
	if total.Offload() < least {
		t.Errorf("offload %.4f, want at least %.2f", total.Offload(), least)
	}
}

package interop

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestMPDsOfTheNewestPlayer holds the recorded results for MPDs to the installed Shaka Player and the published plug-in.
func TestMPDsOfTheNewestPlayer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "node", "identity/dash.cjs", "--modules", "node_modules", "--check").CombinedOutput()
	if err != nil {
		t.Fatalf("checking MPDs: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// dashPaths are the MPDs whose offload is measured, by name. Audio is separate, as it is in nearly all MPDs.
var dashPaths = map[string]string{"live": "/live/audio/manifest.mpd", "vod": "/vod/dur_120/audio/manifest.mpd"}

// TestDASHFromOneCopy plays MPDs with Shaka Player and the reporter script for a minute, one page alone and four that also
// share with each other: nearly all bytes come from a seeder that fetched each segment once.
func TestDASHFromOneCopy(t *testing.T) { runDASH(t, browser.Chromium) }

// TestDASHFromOneCopyInFirefox is the same in Firefox. `make firefox` runs it without other pages beside it: a Firefox takes
// more of the processors than Chromium, and how soon pages meet their first peer counts in both.
func TestDASHFromOneCopyInFirefox(t *testing.T) { runDASH(t, browser.Firefox) }

func runDASH(t *testing.T, in browser.Kind) {
	t.Helper()
	t.Parallel()
	for kind, path := range dashPaths {
		for _, pages := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d pages", kind, pages), func(t *testing.T) {
				t.Parallel()
				testDASH(t, in, path, pages)
			})
		}
	}
}

func testDASH(t *testing.T, in browser.Kind, path string, pages int) {
	t.Helper()
	pool.Take(t, 2*pages) // as many seats stay empty: it counts how soon a page meets its first peer
	s := startStream(t, path, nil)
	private := startOrigin(t, loopback) // which tells what the seeder fetched
	s.private = private.url(path)
	s.startSeeder(t)
	b := measuredBrowser(t, in)
	warmUp(t, b, s.origin.url("/vod/dur_60/master.m3u8"))
	tabs := openTabsAlone(t, pages, func() *browser.Tab {
		return b.OpenShakaFrom(t.Context(), s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})
	reports := watch(t, tabs)
	checkSmooth(t, reports)
	verifySegments(t, reports...)
	checkOneCopy(t, private)
	checkOffload(t, reports, 0.90)
}

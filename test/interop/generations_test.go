package interop

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// TestBothGenerationsFromOneCopy lets hls.js pages (2.3.1) and Shaka pages (2.2.2), which can never
// meet, take segments from one seeder that fetched each segment once. There is a page of each in Chromium and in Firefox.
func TestBothGenerationsFromOneCopy(t *testing.T) {
	t.Parallel()
	for kind, path := range liveAndVOD {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			pool.Take(t, 4)
			ctx := t.Context()
			s := startStream(t, path, nil)
			// Origins are pure functions of URL and clock: one of its own tells what the seeder fetched.
			private := startOrigin(t, loopback)
			s.private = private.url(path)
			s.startSeeder(t)
			var tabs []openTab
			for _, in := range browsers {
				b := sharedBrowserOf(t, in)
				tabs = append(tabs, openTabsAlone(t, 1, func() *browser.Tab { return b.OpenHLSFrom(ctx, s.http("/v1/config"), withScript(s)) })...)
				tabs = append(tabs, openTabsAlone(t, 1, func() *browser.Tab { return b.OpenShakaFrom(ctx, s.http("/v1/config"), withScript(s)) })...)
			}
			reports := watch(t, tabs)
			checkSmooth(t, reports)
			for i, r := range reports {
				if r.Bytes.Seeder == 0 || countSource(r, "p2p") == 0 {
					t.Errorf("tab %d got nothing from the seeder: %s", i+1, r.Dump())
				}
			}
			checkOneCopy(t, private)
			verifySegments(t, reports...)
			checkOffload(t, reports, 0.90)
		})
	}
}

// checkOneCopy holds a seeder to having fetched each segment once from an origin of its own.
func checkOneCopy(t *testing.T, private *testOrigin) {
	t.Helper()
	checked := 0
	for path, served := range private.Stats().Paths {
		if !strings.HasSuffix(path, ".m4s") {
			continue
		}
		checked++
		if served.Requests != 1 {
			t.Errorf("the seeder fetched %s %d times, want once", path, served.Requests)
		}
	}
	if checked == 0 {
		t.Error("the seeder fetched nothing")
	}
}

// TestGoViewerAndTabShareBothWays has no seeder: a Go viewer takes segments from a tab, and a tab from a
// Go viewer.
func TestGoViewerAndTabShareBothWays(t *testing.T) {
	t.Parallel()
	t.Run("viewer from tab", func(t *testing.T) {
		t.Parallel()
		pool.Take(t, 1)
		ctx := t.Context()
		s := startStream(t, liveAndVOD["vod"], nil)
		b := sharedBrowser(t)
		tab := openTabs(t, 1, func() *browser.Tab { return b.OpenHLSFrom(ctx, s.http("/v1/config"), browser.WithLevel(0)) })[0]
		tab.WaitFor(ctx, 60*time.Second, "segments to share", func(r browser.Report) bool { return len(r.Segments) >= 4 })
		r := waitForReport(t, s.launchViewers(t, "--duration", "40s"), 60*time.Second)
		if r.Total.Bytes.Viewer == 0 || r.Total.DigestErrors != 0 || r.Viewers[0].Verified == 0 {
			t.Errorf("the viewer: %+v", r)
		}
		if got := tab.Report(ctx); got.UploadBytes == 0 {
			t.Errorf("the tab uploaded nothing: %s", got.Dump())
		}
	})
	t.Run("tab from viewer", func(t *testing.T) {
		t.Parallel()
		pool.Take(t, 1)
		ctx := t.Context()
		s := startStream(t, liveAndVOD["vod"], nil)
		s.launchViewers(t, "--duration", "120s")
		lab.Eventually(t, 60*time.Second, "the viewer to hold segments", func() bool {
			st, err := s.stats(t)
			return err == nil && st.Offload.Totals.HTTP > 1_000_000
		})
		b := sharedBrowser(t)
		tab := openTabs(t, 1, func() *browser.Tab { return b.OpenHLSFrom(ctx, s.http("/v1/config"), browser.WithLevel(0)) })[0]
		r := tab.WaitFor(ctx, 60*time.Second, "segments from the viewer", func(r browser.Report) bool {
			return r.Bytes.Viewer > 0 && countSource(r, "p2p") >= 3
		})
		verifySegments(t, r)
	})
}

// waitForReport waits for viewers that end by themselves and returns what they measured.
func waitForReport(t testing.TB, viewers *program.Process, within time.Duration) viewer.Report {
	t.Helper()
	out := viewers.Finish(t, within)
	var r viewer.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("decoding the viewers' report: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	return r
}

package interop

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// openTab is a tab that shows a picture, and when it was opened.
type openTab struct {
	*browser.Tab
	opened time.Time
}

// Playing sixteen tabs takes little more than one core. What takes both is to start: a browser, a page, a seeder that fetches
// a stream. A page that starts has 340 ms for its first peer, so all that starts, or computes digests, takes turns
// (pool.Start), and pages whose offload is measured start alone.

// openTabs opens tabs one after the other, as people do: each once the one before shows a picture.
func openTabs(t *testing.T, n int, open func() *browser.Tab) (tabs []openTab) {
	t.Helper()
	for range n {
		pool.Start(func() { tabs = append(tabs, openOne(t, open)) })
	}
	return tabs
}

// openTabsAlone is openTabs for tests that measure offload: nothing else starts until a page has settled.
func openTabsAlone(t *testing.T, n int, open func() *browser.Tab) (tabs []openTab) {
	t.Helper()
	for range n {
		pool.StartAlone(func() {
			tab := openOne(t, open)
			settle(t, tab.Tab)
			tabs = append(tabs, tab)
		})
	}
	return tabs
}

func openOne(t *testing.T, open func() *browser.Tab) openTab {
	t.Helper()
	tab := openTab{opened: time.Now()}
	tab.Tab = open()
	tab.WaitPlaying(t.Context())
	return tab
}

// settle waits until a page has filled its buffer and met the peers of the quality that it has chosen by then, as far as
// this takes no longer than it takes most pages.
func settle(t *testing.T, tab *browser.Tab) {
	t.Helper()
	const segments, most = 8, 2 * time.Second
	begun := time.Now()
	tab.WaitFor(t.Context(), 30*time.Second, "the page to settle", func(r browser.Report) bool {
		return len(r.Segments) >= segments || time.Since(begun) >= most
	})
}

// warmUp plays a stream once without peers: a browser is busy for a while after its start, and those of users were
// started long ago.
func warmUp(t *testing.T, b *browser.Browser, stream string) {
	t.Helper()
	pool.Start(func() {
		tab := b.OpenPlain(t.Context(), stream)
		tab.WaitPlaying(t.Context())
		tab.Close()
	})
}

// startBrowser starts a browser of the test's own, for tests that need another network or other flags.
func startBrowser(t *testing.T, options ...browser.Option) (b *browser.Browser) {
	t.Helper()
	pool.Start(func() { b = browser.Start(t, options...) })
	return b
}

// watch waits until every tab is a minute old and returns their reports.
func watch(t *testing.T, tabs []openTab) []browser.Report {
	t.Helper()
	reports := make([]browser.Report, len(tabs))
	for i, tab := range tabs {
		<-time.After(time.Until(tab.opened.Add(minute)))
		reports[i] = tab.Report(t.Context())
		t.Logf("tab %d: peer=%dms byte=%dms %s; from the origin: %s", i+1, reports[i].FirstPeerMs, reports[i].FirstPeerByteMs, reports[i], fromOrigin(reports[i]))
	}
	return reports
}

// fromOrigin names the segments that no peer gave: their places among all, and when they came.
func fromOrigin(r browser.Report) string {
	var list []string
	for i, s := range r.Segments {
		if s.Source == "http" {
			list = append(list, fmt.Sprintf("#%d %s at %d ms", i, path.Base(s.URL), s.AtMs))
		}
	}
	return cmp.Or(strings.Join(list, ", "), "none")
}

func countSource(r browser.Report, source string) int {
	n := 0
	for _, s := range r.Segments {
		if s.Source == source {
			n++
		}
	}
	return n
}

func checkSmooth(t *testing.T, reports []browser.Report) {
	t.Helper()
	for i, r := range reports {
		if r.Rebuffers() > 0 || len(r.Errors) > 0 {
			t.Errorf("tab %d stalled or failed: %s", i+1, r.Dump())
		}
	}
}

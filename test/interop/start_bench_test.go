package interop

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// BenchmarkPageStart is how soon a page that has only the settings of /v1/config meets a seeder, and how many segments it
// takes from the origin before: pages play one after the other, each for seven seconds, in a browser that is warm. Run it
// with -benchtime 12x, on a machine that does nothing else.
func BenchmarkPageStart(b *testing.B) {
	s := startStream(b, offloadPaths["live, muxed"], nil)
	s.startSeeder(b)
	chromium := browser.Start(b)
	plain := chromium.OpenPlain(b.Context(), s.source)
	plain.WaitPlaying(b.Context())
	plain.Close()
	b.ResetTimer()
	var peer, first, lost int
	for range b.N {
		opened := time.Now()
		tab := chromium.OpenHLSFrom(b.Context(), s.http("/v1/config"))
		tab.WaitFor(b.Context(), 20*time.Second, "the page to play for seven seconds with a peer", func(r browser.Report) bool {
			return r.FirstPeerMs >= 0 && time.Since(opened) > 7*time.Second
		})
		r := tab.Report(b.Context())
		tab.Close()
		peer, first, lost = peer+r.FirstPeerMs, first+r.FirstFrameMs, lost+countSource(r, "http")
		b.Logf("peer %d ms, first frame %d ms; from the origin: %s", r.FirstPeerMs, r.FirstFrameMs, fromOrigin(r))
	}
	b.ReportMetric(float64(peer)/float64(b.N), "ms-to-peer/page")
	b.ReportMetric(float64(first)/float64(b.N), "ms-to-frame/page")
	b.ReportMetric(float64(lost)/float64(b.N), "origin-segments/page")
	b.ReportMetric(0, "ns/op")
}

package interop

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestPageTakesNoWrongMedia has a page with the tracker's script meet a peer that holds every segment with other bytes of
// the same length.
func TestPageTakesNoWrongMedia(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	ctx := t.Context()
	s := startStream(t, "/live/seg_2/window_10/ren_1/master.m3u8", nil)
	s.startSeeder(t)
	liar := inprocess.StartLiar(t, s.source, "ws://"+s.address+"/announce", nil)
	lab.Eventually(t, 30*time.Second, "the liar to hold the stream", inprocess.HoldsWindow(liar.Server))
	b := sharedBrowser(t)
	tabs := openTabs(t, 1, func() *browser.Tab {
		return b.OpenHLSFrom(ctx, s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})
	refused := func(r browser.Report) (n int) {
		for _, e := range r.SegmentErrors {
			if e.Type == "p2p-segment-validation-failed" {
				n++
			}
		}
		return n
	}
	r := tabs[0].WaitFor(ctx, 90*time.Second, "the page to be given wrong bytes, and to play on", func(r browser.Report) bool {
		return refused(r) > 0 && countSource(r, "p2p") >= 12 && r.CurrentTime > 10
	})
	lab.Eventually(t, 30*time.Second, "the page to report it", func() error {
		st, err := s.stats(t)
		if err == nil && (st.Integrity == nil || st.Integrity.Checks.Wrong == 0 || st.Integrity.Checks.Right == 0) {
			err = fmt.Errorf("%+v", st.Integrity)
		}
		return err
	})
	checkSmooth(t, []browser.Report{r})
	verifySegments(t, r)
	asked := browser.Value[float64](ctx, tabs[0].Tab, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/v1/hashes")).length`)
	played := time.Since(tabs[0].opened).Seconds()
	t.Logf("%d refused of %d segments from peers; %.0f requests for hashes in %.0f s; %s; from the origin: %s", refused(r), countSource(r, "p2p"), asked, played, r, fromOrigin(r))
	// One request for each segment of two seconds, and the key: an answer has about 500 bytes with its headers.
	if asked/played > 1 {
		t.Errorf("%.0f requests for hashes in %.0f s", asked, played)
	}
}

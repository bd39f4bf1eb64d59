package interop

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestPlayerPage opens the tracker's own page as a person does: it plays either format, with bytes from the seeder, and
// reports.
func TestPlayerPage(t *testing.T) {
	t.Parallel()
	for format, path := range map[string]string{"HLS": liveAndVOD["live"], "DASH": dashPaths["live"]} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			testPlayerPage(t, path)
		})
	}
}

func testPlayerPage(t *testing.T, path string) {
	t.Helper()
	pool.Take(t, 1)
	ctx := t.Context()
	s := startStream(t, path, nil)
	s.startSeeder(t)
	b := sharedBrowser(t)
	pool.Start(func() {
		tab := b.OpenURL(ctx, s.http("/player"))
		lab.Eventually(t, 30*time.Second, "the page to play", func() bool {
			return browser.Value[float64](ctx, tab, `(document.querySelector("video") ?? {played: []}).played.length && document.querySelector("video").currentTime`) > 0
		})
	})
	lab.Eventually(t, 30*time.Second, "its report to arrive", func() bool {
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
}

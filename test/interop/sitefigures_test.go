package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// TestPagesTellSources: pages with the script tell which bytes came from inside their site, and of which rendition, by what
// the tracker says with offers and answers.
func TestPagesTellSources(t *testing.T) {
	t.Parallel()
	pool.Take(t, 2)
	ctx := t.Context()
	s := startStream(t, liveAndVOD["live"], nil)
	s.tracker.Kill()
	csv := filepath.Join(t.TempDir(), "sites.csv")
	if err := os.WriteFile(csv, []byte("office,127.0.0.0/8 ::1/128,On\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	admin := lab.FreeAddress(t)
	s.tracker = start(t, program.Spec{Command: "tracker", Admin: admin, Args: []string{
		"--listen", s.address, "--admin-listen", admin, "--stream-source", s.source, "--swarm-id", lab.SwarmID,
		"--stun", "stun:" + s.stun, "--seeder-token-file", s.token, "--site-map", csv}})
	s.startSeeder(t)
	b := sharedBrowser(t)
	openTabs(t, 2, func() *browser.Tab {
		return b.OpenHLSFrom(ctx, s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})
	lab.Eventually(t, 90*time.Second, "pages to tell that their bytes came from inside", func() error {
		st, err := s.stats(t)
		if err != nil || len(st.Sites) != 1 || st.Sites[0].Name != "office" || st.Sites[0].Telling < 2 {
			return fmt.Errorf("%+v: %w", st.Sites, err)
		}
		got := st.Sites[0]
		if got.Window.SeederInside < 1<<20 || got.Copies == nil {
			return fmt.Errorf("%+v", got)
		}
		if got.Window.SeederOutside > 0 || got.Window.ViewerOutside > 0 {
			t.Errorf("bytes of peers inside count as outside: %+v", got.Window)
		}
		for _, r := range got.Renditions {
			if r.Name == "" || r.Name == telemetry.OtherRendition && r.Window.Received() > got.Window.Received()/10 {
				t.Errorf("rendition %q has %+v", r.Name, r.Window)
			}
		}
		t.Logf("%.2f copies, %+v, %+v", *got.Copies, got.Window, got.Renditions)
		return nil
	})
}

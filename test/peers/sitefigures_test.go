package peers

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestFiguresOfASite has viewers and a seeder at one site: the figures of the tracker are what the viewers counted, all of it
// came from inside, and what the seeder fetched is the one copy that came over the line.
func TestFiguresOfASite(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, sitePath)
	s.UseSites(t, sites.Entry{Name: "office", CIDRs: []string{"127.0.0.0/8"}})
	s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count = 3 })
	r := inprocess.AwaitPlayed(t, 20*time.Second, v)
	checkClean(t, r)
	lab.Eventually(t, 10*time.Second, "the figures of the site", func() error {
		all := s.Stats(t).Sites
		if len(all) != 1 || all[0].Name != "office" || all[0].Copies == nil {
			return fmt.Errorf("%+v", all)
		}
		got, now := all[0], v.Snapshot().Total.Bytes
		received := got.Window.Received()
		if least := (now.HTTP + now.Seeder + now.Viewer) * 2 / 3; received < least || got.Viewers != 3 || got.Telling != 3 {
			return fmt.Errorf("%d bytes, want at least %d: %+v", received, least, got)
		}
		if got.Window.SeederInside == 0 || got.Window.SeederOutside != 0 || got.Window.ViewerOutside != 0 {
			return fmt.Errorf("bytes of inside count as outside: %+v", got.Window)
		}
		if len(got.Renditions) != 1 || got.Renditions[0].Name == "" || got.Renditions[0].Viewers != 3 {
			return fmt.Errorf("renditions %+v", got.Renditions)
		}
		if got.Seeders.Origin == 0 || *got.Copies < 0.5 || *got.Copies > 2 { // the seeder has also fetched what was published before
			return fmt.Errorf("%.2f copies: %+v", *got.Copies, got)
		}
		t.Logf("%.2f copies, %d bit/s on the line, achieved %.2f of %.2f: %+v", *got.Copies, got.LineBitsPerSecond, *got.Achieved, *got.Achievable, got.Window)
		return nil
	})
	stop()
}

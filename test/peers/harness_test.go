package peers

import (
	"encoding/json"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

func TestMain(m *testing.M) {
	lab.Parallel(4) // they mostly wait, but eight of them with the race detector stall each other's viewers
	os.Exit(lab.Main(m))
}

// joining lets one audience join at a time, over all tests that run beside each other: two processors cannot connect two
// as they would connect one.
var joining sync.Mutex

// startViewers starts an audience, and waits until all play.
func startViewers(t testing.TB, s *inprocess.Stream, change func(*viewer.Config)) (*viewer.Server, func()) {
	t.Helper()
	joining.Lock()
	defer joining.Unlock()
	v, stop := s.StartViewers(t, func(c *viewer.Config) {
		// These tests ask whose bytes they are. How soon the first peer is there is measured by a benchmark: with the race
		// detector, on processors that do other things, it takes longer than viewers would wait.
		c.StartupWait = duration.Duration(5 * time.Second)
		if change != nil {
			change(c)
		}
	})
	inprocess.AwaitPlayed(t, time.Second, v)
	return v, stop
}

// checkClean requires that no viewer stalled or got a wrong byte, and that every viewer verified some.
func checkClean(t testing.TB, r viewer.Report) {
	t.Helper()
	logReport(t, r)
	if r.Total.Stalls != 0 {
		t.Errorf("%d stalls, want none", r.Total.Stalls)
	}
	if r.Total.DigestErrors != 0 {
		t.Errorf("%d segments differ from the origin's", r.Total.DigestErrors)
	}
	for _, each := range r.Viewers {
		if each.Verified == 0 {
			t.Errorf("viewer %d verified nothing", each.ID)
		}
	}
}

func logReport(t testing.TB, r viewer.Report) {
	t.Helper()
	b, _ := json.Marshal(r) // a struct of numbers
	t.Logf("%s", b)
}

package interop

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/seats"
)

// tabsAtOnce is how many tabs play at once, at most. One takes 7 % of a core once it has settled, on a slow machine 14 %:
// there a tab that starts waits until others have played.
const (
	tabsAtOnce = 16
	calm       = 0.4
	patience   = 30 * time.Second
)

// Tests run beside each other as far as there are seats for their tabs. Tests that compare how fast pages start, or
// start dozens of viewers, do not call t.Parallel, so that they run first, with nothing beside them.
var pool = seats.New(tabsAtOnce).Calm(calm, patience)

// shared is started by the first test that needs it, and closed by closeShared.
var (
	closeShared = func() {}
	shared      = sync.OnceValues(func() (*browser.Shared, error) {
		var b *browser.Shared
		var err error
		pool.Start(func() { b, err = browser.Launch() })
		if err == nil {
			closeShared = b.Close
		}
		return b, err
	})
)

// sharedBrowser is the browser of all tests that need no other network or flags, and do not measure offload: tabs of one
// browser share the process that handles their sockets, and a page that starts waits for it.
func sharedBrowser(t *testing.T) *browser.Browser {
	t.Helper()
	return lab.Must[*browser.Shared](t)(shared()).For(t)
}

func TestMain(m *testing.M) {
	const unlimited = 1000 // the pool is the limit
	lab.Parallel(unlimited)
	if _, err := program.Binary(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	closeShared()
	os.Exit(code)
}

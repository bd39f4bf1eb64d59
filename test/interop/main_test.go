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

// browsers are those that streams are played in.
var browsers = []browser.Kind{browser.Chromium, browser.Firefox}

// sharedBrowsers are those of each kind that many tests use. Each is started by the first test that needs it, and closed by
// closeShared.
var (
	closers        []func()
	closersMu      sync.Mutex
	sharedBrowsers = map[browser.Kind]func() (*browser.Shared, error){
		browser.Chromium: sync.OnceValues(func() (*browser.Shared, error) { return launch(browser.Chromium) }),
		browser.Firefox:  sync.OnceValues(func() (*browser.Shared, error) { return launch(browser.Firefox) }),
	}
)

func launch(kind browser.Kind) (b *browser.Shared, err error) {
	pool.Start(func() { b, err = browser.Launch(browser.Of(kind)) })
	if err == nil {
		closersMu.Lock()
		defer closersMu.Unlock()
		closers = append(closers, b.Close)
	}
	return b, err
}

func closeShared() {
	for _, closeOne := range closers {
		closeOne()
	}
}

// sharedBrowser is the Chromium of all tests that need no other network or flags, and do not measure offload: tabs of one
// browser share the process that handles their sockets, and a page that starts waits for it.
func sharedBrowser(t *testing.T) *browser.Browser {
	t.Helper()
	return sharedBrowserOf(t, browser.Chromium)
}

func sharedBrowserOf(t *testing.T, kind browser.Kind) *browser.Browser {
	t.Helper()
	return lab.Must[*browser.Shared](t)(sharedBrowsers[kind]()).For(t)
}

// measuredBrowser is a browser for tests that measure offload: a Chromium of the test's own, and the Firefox that all tests
// use. Firefox takes ten seconds of a core to start.
func measuredBrowser(t *testing.T, kind browser.Kind) *browser.Browser {
	t.Helper()
	if kind == browser.Firefox {
		return sharedBrowserOf(t, kind)
	}
	return startBrowser(t, browser.Of(kind))
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

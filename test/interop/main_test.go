package interop

import (
	"fmt"
	"os"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/seats"
)

// tabsAtOnce is how many tabs play at once. A tab that plays takes about 6 % of a core, so these leave half of a small
// machine of two cores to programs and to the tab that is being started.
const tabsAtOnce = 16

// Tests run beside each other as far as there are seats for their tabs. Tests that compare how fast pages start do not
// call t.Parallel, so that they run first, with nothing beside them.
var (
	pool   = seats.New(tabsAtOnce)
	shared *browser.Shared // for tests that need no network or flags of their own
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	const enough = 64 // the pool is what limits them
	lab.Parallel(enough)
	if _, err := program.Binary(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var err error
	if shared, err = browser.Launch(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Close()
	return m.Run()
}

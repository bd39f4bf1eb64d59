package interop

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// TestPagesThatStartGoFirst: the browser that opens a page gets the processors before those whose pages only play, so
// that a page meets its peers as fast beside seven others as it would alone.
func TestPagesThatStartGoFirst(t *testing.T) {
	t.Parallel()
	pool.Take(t, 2)
	s := startStream(t, liveAndVOD["vod"], nil)
	one, two := startBrowser(t), startBrowser(t)
	for range 2 {
		for _, b := range []struct {
			name          string
			starts, plays interface{ Niceness() int }
			open          func()
		}{
			{"one", one, two, func() { one.OpenPlain(t.Context(), s.source) }},
			{"two", two, one, func() { two.OpenPlain(t.Context(), s.source) }},
		} {
			// Another test's page may start at any moment, and then goes first.
			lab.Eventually(t, time.Minute, "browser "+b.name+" to go first", func() bool {
				pool.Start(b.open)
				return b.starts.Niceness() < b.plays.Niceness()
			})
		}
	}
}

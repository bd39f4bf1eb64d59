package interop

import (
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestPageMeetsALostSeederAgain stops the only seeder until the page has given up on it, as pages do after three silent
// requests, and lets it go on. The page comes back to it soon, although its next announce may be a minute and a half away:
// within seconds, or 30 s later if the page went without a word, since ICE takes so long to notice that.
func TestPageMeetsALostSeederAgain(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	s := startStream(t, liveAndVOD["live"], nil)
	s.startSeeder(t)
	b := sharedBrowser(t)
	tab := openTabsAlone(t, 1, func() *browser.Tab {
		return b.OpenHLSFrom(t.Context(), s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})[0]
	tab.WaitFor(t.Context(), 30*time.Second, "bytes from the seeder", func(r browser.Report) bool { return r.Bytes.Seeder > 1_000_000 })
	freeze(t, s, syscall.SIGSTOP)
	t.Cleanup(func() { _ = syscall.Kill(s.seeder.PID(), syscall.SIGCONT) })
	lost := tab.WaitFor(t.Context(), time.Minute, "the page to give up on the seeder", func(r browser.Report) bool { return len(r.Peers) == 0 })
	freeze(t, s, syscall.SIGCONT)
	woken := time.Now()
	r := tab.WaitFor(t.Context(), time.Minute, "bytes from the seeder again", func(r browser.Report) bool { return r.Bytes.Seeder > lost.Bytes.Seeder })
	t.Logf("bytes from the seeder %.1f s after it went on: %s", time.Since(woken).Seconds(), r)
	if r.Rebuffers() != 0 {
		t.Errorf("the page stalled: %s", r.Dump())
	}
}

func freeze(t *testing.T, s *stream, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(s.seeder.PID(), signal); err != nil {
		t.Fatal(err)
	}
}

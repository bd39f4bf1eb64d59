package foreign

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/foreign/ghost"
	"github.com/p2pstream/p2pstream/test/interop/published"
	"github.com/p2pstream/p2pstream/test/lab"
)

// TestPublishedTracker has more ghosts than viewers in every swarm: pages with a peer id in each of several swarms, of which the
// server forgets only the first when they close. It hands them offers for as long as the test lasts, and asks all clients to
// come back in two minutes only.
func TestPublishedTracker(t *testing.T) {
	t.Parallel()
	machine.Take(t, 2)
	tr := published.StartTracker(t)
	a := newAudience(t, nil, tr.URL)
	hashes := swarms(t, tr.URL)
	const pages = 25
	for range pages {
		rand.Shuffle(len(hashes), func(i, j int) { hashes[i], hashes[j] = hashes[j], hashes[i] })
		c := lab.Must[*ghost.Client](t)(ghost.Dial(tr.URL))
		_ = lab.Must[[]signaling.ID](t)(c.Announce(hashes, 5))
		c.Vanish()
	}
	ghosts := 0
	for _, n := range lab.Must[map[signaling.ID]int](t)(ghost.Scrape(tr.URL)) {
		ghosts += n - 1 // the seeder
	}
	if want := pages * (len(hashes) - 1); ghosts < want {
		t.Fatalf("%d ghosts in %d swarms, want %d: is this the published server?", ghosts, len(hashes), want)
	}
	a.settle()
	haunting := ghost.Haunt(t, tr.URL, hashes, 2, 5, func() time.Duration { return time.Second + rand.N(2*time.Second) })
	a.churn(11*time.Second, nil)
	a.check()
	t.Logf("%d pages came and went; %d swarms; %.0f of our offers were unanswered, %.0f connections opened",
		pages+haunting.End(), len(hashes), sum(t, "attempts_failed_total", "unanswered", a.registries()...),
		sum(t, "peers_opened_total", "", a.registries()...))
}

// TestPublishedTrackerHalfOpen cuts viewers off in such a way that the server notices nothing. It goes on using their old
// sockets, so that no peer could meet them if they did not remove their old entries first.
func TestPublishedTrackerHalfOpen(t *testing.T) {
	t.Parallel()
	machine.Take(t, 1)
	tr := published.StartTracker(t)
	through := newRelay(t, tr.URL)
	a := newAudience(t, nil, tr.URL)
	a.trackers = []string{through.url()}
	old := a.join("old", 3, nil)
	a.played(2*time.Second, old)
	through.halfClose()
	lab.Eventually(t, 20*time.Second, "the cut-off viewers to be back on new sockets", func() bool { return through.sockets() == 3*2 })
	a.trackers = []string{tr.URL}
	newcomers := a.join("newcomers", 2, nil)
	// Two swarms: three old viewers and a seeder each, and the other newcomer.
	const want = 2 * 2 * 5
	lab.Eventually(t, 20*time.Second, "the newcomers to meet all others", func() bool {
		return sum(t, "peers", "", newcomers.reg) == want
	})
	a.played(2*time.Second, newcomers)
	a.unharmed()
}

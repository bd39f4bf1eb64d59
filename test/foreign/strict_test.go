package foreign

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/foreign/ghost"
	"github.com/p2pstream/p2pstream/test/foreign/strict"
	"github.com/p2pstream/p2pstream/test/lab"
)

// Pages that stay for a moment: longer than our peers take to answer, shorter than other clients do.
const (
	shortestStay = 4500 * time.Millisecond
	longestStay  = 6 * time.Second
)

func moment() time.Duration { return shortestStay + rand.N(longestStay-shortestStay) }

// TestStrictTracker lets viewers and ghosts come and leave all the time on a server that closes the socket of a client that
// answers a peer that has left. None of ours may lose one; a client that answers everything, late, loses its own.
func TestStrictTracker(t *testing.T) {
	t.Parallel()
	machine.Take(t, 1)
	tr := strict.Start(t, strict.Config{})
	a := newAudience(t, nil, tr.URL())
	hashes := swarms(t, tr.URL())
	naive := lab.Must[*ghost.Client](t)(ghost.Dial(tr.URL()))
	defer naive.Vanish()
	names := lab.Must[[]signaling.ID](t)(naive.Announce(hashes, 0))

	a.settle()
	haunting := ghost.Haunt(t, tr.URL(), hashes, 4, 5, moment)
	a.churn(14*time.Second, nil)
	pages := haunting.End()
	a.check()
	st := tr.Stats()
	if st.ForCause() != 0 {
		t.Errorf("the server closed sockets: %v; late answers: %+v", st.Closed, st.Late)
	}
	slices.Sort(st.Age)
	at := func(percent int) time.Duration { return st.Age[(len(st.Age)-1)*percent/100].Round(time.Millisecond) }
	t.Logf("%d pages came and went, %d sockets, %d announces, %d offers, %d answers after %s (median), %s (99 %%), %s (worst)",
		pages, st.Opened, st.Announces, st.Relayed, st.Answers, at(50), at(99), at(100))

	t.Run("a naive client", func(t *testing.T) {
		var o ghost.Offer
		lab.Eventually(t, longestStay+10*time.Second, "the naive client to hold an offer of a peer that has left", func() bool {
			for _, o = range naive.Offers() {
				if o.PeerID.String()[:4] == "-PM0" && time.Since(o.At) > longestStay {
					return true
				}
			}
			return false
		})
		me := names[slices.Index(hashes, o.InfoHash)]
		if err := naive.Answer(o, me); err != nil {
			t.Fatal(err)
		}
		<-naive.Gone()
		var late []strict.Late
		lab.Eventually(t, 10*time.Second, "the server to say why", func() bool { late = tr.Stats().Late; return len(late) > 0 })
		if late[0].From != me.String() || late[0].Lost != len(hashes) {
			t.Errorf("the server closed the socket of another: %+v", late)
		}
	})
}

// TestStrictTrackerBounces has pages that leave at once, before any peer can answer them. A peer that answers loses its
// socket, and cannot know better; it may cost only that one socket of one swarm, for a moment.
func TestStrictTrackerBounces(t *testing.T) {
	t.Parallel()
	machine.Take(t, 1)
	tr := strict.Start(t, strict.Config{})
	a := newAudience(t, nil, tr.URL())
	a.settle()
	hashes := swarms(t, tr.URL())
	haunting := ghost.Haunt(t, tr.URL(), hashes, 1, 2, func() time.Duration { return rand.N(200 * time.Millisecond) })
	a.played(9 * time.Second)
	pages := haunting.End()
	st := tr.Stats()
	for _, late := range st.Late {
		if late.Lost > 1 {
			t.Errorf("a socket of %d swarms was lost: %+v", late.Lost, late)
		}
	}
	if len(st.Late) == 0 {
		t.Error("no socket was lost, so nothing is proved")
	}
	lab.Eventually(t, 30*time.Second, "every peer to be back", func() bool {
		sum := 0
		for _, n := range tr.Swarms() {
			sum += n
		}
		return sum == memberships+seederSwarms
	})
	a.check()
	t.Logf("%d pages came and went, %d sockets were lost, %.0f connections", pages, len(st.Late), sum(t, "peers_closed_total", "", a.registries()...))
}

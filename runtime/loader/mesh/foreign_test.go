package mesh

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func newForeign(t testing.TB) *relay {
	r := newRelay(t)
	r.foreign = true
	return r
}

const otherHash = identity.InfoHash("BBBBBBBBBBBBBBBBBBBB")

func inOther(c *SwarmConfig) { c.InfoHash = otherHash }

// One socket that a foreign tracker closes must not take another swarm with it.
func TestForeignTrackerGetsASocketForEachSwarm(t *testing.T) {
	for name, c := range map[string]struct {
		relay *relay
		want  int
	}{"ours": {newRelay(t), 1}, "foreign": {newForeign(t), 2}} {
		t.Run(name, func(t *testing.T) {
			n := newTestNode(t, NodeConfig{})
			join(t, n, c.relay, 1, &recorder{}, answersOnly)
			join(t, n, c.relay, 2, &recorder{}, answersOnly, inOther)
			until(t, "both swarms to be announced", func() bool { return c.relay.count(signaling.EventStarted) == 2 })
			until(t, "the sockets", func() bool { return c.relay.socketCount() == c.want })
			if n := c.relay.count(signaling.EventStopped); n != 0 {
				t.Errorf("%d goodbyes on the way", n)
			}
		})
	}
}

// An offer that waited for its turn for too long may come from a peer that has left.
func TestForeignOffersAreAnsweredInTimeOrNever(t *testing.T) {
	for name, c := range map[string]struct {
		relay *relay
		want  int
	}{"ours": {newRelay(t), 1}, "foreign": {newForeign(t), 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answerer := newTestNode(t, NodeConfig{HandshakeLimit: 1})
			var free func()
			answerer.gate.submit(gateJob{run: func(release func()) { free = release }})
			join(t, answerer, c.relay, 1, &recorder{}, answersOnly)
			until(t, "the answerer to be there", func() bool { return c.relay.count(signaling.EventStarted) == 1 })
			s := join(t, newTestNode(t, NodeConfig{}), c.relay, 2, &recorder{}, func(c *SwarmConfig) { c.Offers = 1 })
			until(t, "an offer to wait", func() bool {
				answerer.gate.mu.Lock()
				defer answerer.gate.mu.Unlock()
				return len(answerer.gate.waiting) > 0
			})
			since := time.Now()
			until(t, "the offer to be old", func() bool { return time.Since(since) > answerTurn })
			free()
			if c.want > 0 {
				until(t, "the late answer", func() bool { return s.Peers() == c.want })
				return
			}
			until(t, "the offer to be given up", func() bool {
				return counter(t, answerer.metrics.failed.WithLabelValues(reasonStale)) >= 1
			})
		})
	}
}

// A peer may be answering our offer at the moment we leave.
func TestGoodbyeWaitsForAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		relay       *relay
		least, most time.Duration
	}{"ours": {newRelay(t), 0, farewellAfter / 2}, "foreign": {newForeign(t), answerLife, time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := join(t, newTestNode(t, NodeConfig{}), c.relay, 1, &recorder{})
			until(t, "the announce", func() bool { return c.relay.count(signaling.EventStarted) == 1 })
			since := time.Now()
			s.Leave()
			if took := time.Since(since); took < c.least || took > c.most {
				t.Errorf("leaving took %s", took)
			}
			until(t, "the goodbye", func() bool { return c.relay.count(signaling.EventStopped) == 1 })
		})
	}
}

// A peer that lost its tracker waits for no answer.
func TestGoodbyeToATrackerThatIsGone(t *testing.T) {
	r := newForeign(t)
	s := join(t, newTestNode(t, NodeConfig{}), r, 1, &recorder{})
	until(t, "the announce", func() bool { return r.count(signaling.EventStarted) == 1 })
	since := time.Now()
	r.stop()
	s.Leave()
	if took := time.Since(since); took > answerLife {
		t.Errorf("leaving a tracker that is gone took %s", took)
	}
}

// To some trackers a peer id that comes back is the socket that it first came with.
func TestForeignTrackerIsToldOfReturn(t *testing.T) {
	r := newForeign(t)
	join(t, newTestNode(t, NodeConfig{}), r, 1, &recorder{}, answersOnly)
	until(t, "the announce", func() bool { return r.count(signaling.EventStarted) == 1 })
	r.stop()
	r.start()
	until(t, "the old entry to be taken back", func() bool { return r.count(signaling.EventStopped) == 1 })
	until(t, "a new one", func() bool { return r.count(signaling.EventStarted) == 2 })
}

// A foreign tracker passes offers to peers that left, and tells all peers to announce again in minutes.
func TestPeersWithoutPeersAnnounceMoreOften(t *testing.T) {
	for name, c := range map[string]struct {
		relay *relay
		again bool
	}{"ours": {newRelay(t), false}, "foreign": {newForeign(t), true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.relay.hold = true
			for i := range 2 {
				join(t, newTestNode(t, NodeConfig{}), c.relay, i, &recorder{})
			}
			until(t, "both to be there", func() bool { return c.relay.count(signaling.EventStarted) == 2 })
			since := time.Now()
			until(t, "what they do then", func() bool {
				return c.relay.count(signaling.EventNone) >= 4 || !c.again && time.Since(since) > 3*searchFirst
			})
			if n := c.relay.count(signaling.EventNone); !c.again && n > 0 {
				t.Errorf("%d announces before it was time", n)
			}
		})
	}
}

// Peers that lost a tracker at the same moment must not reconnect at the same moment.
func TestBackoffSpreads(t *testing.T) {
	const peers = 1000
	buckets := map[int64]int{}
	for range peers {
		buckets[newDialPause().after(0).Milliseconds()/50]++
	}
	for at, n := range buckets {
		if n > peers/5 {
			t.Errorf("%d of %d dial within the same 50 ms, after %d ms", n, peers, 50*at)
		}
	}
}

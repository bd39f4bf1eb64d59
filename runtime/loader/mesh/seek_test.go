package mesh

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func seederID(i int) identity.PeerID {
	return identity.PeerID(fmt.Sprintf("%s%012d", identity.SeederPrefix, i))
}

// TestSeedersConnect: two seeders, each with one port for all connections, have a connection in each of several swarms, and
// no bytes of one reach another.
func TestSeedersConnect(t *testing.T) {
	const swarms, messages = 4, 40
	r := newRelay(t)
	central := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	edge := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	var wrong atomic.Int64
	in := func(i, id int) func(*SwarmConfig) {
		return func(c *SwarmConfig) {
			c.InfoHash, c.PeerID, c.Offers = identity.InfoHash(fmt.Sprintf("%020d", i)), seederID(id), -1
		}
	}
	for i := range swarms {
		join(t, central, r, 2*i, &recorder{onOpen: func(p *Peer) {
			go func() {
				for range messages {
					if p.SendWait(t.Context(), bytes.Repeat([]byte{byte(i)}, 20_000)) != nil {
						return
					}
				}
			}()
		}}, in(i, 2*i))
	}
	until(t, "the central seeder to be there", func() bool { return r.count(signaling.EventStarted) == swarms })
	received := make([]recorder, swarms)
	for i := range swarms {
		received[i].onMsg = func(_ *Peer, msg []byte) {
			for _, b := range msg {
				if int(b) != i {
					wrong.Add(1)
					return
				}
			}
		}
		join(t, edge, r, 2*i+1, &received[i], in(i, 2*i+1), func(c *SwarmConfig) { c.Seek = 2 })
	}
	until(t, "the edge seeder to have all", func() bool {
		for i := range received {
			if received[i].messages.Load() < messages {
				return false
			}
		}
		return true
	})
	if wrong.Load() > 0 {
		t.Errorf("%d messages came over the connection of another swarm", wrong.Load())
	}
	for i := range received {
		if len(received[i].causes()) > 0 {
			t.Errorf("connections ended: %v", received[i].causes())
		}
	}
}

// TestASeederAloneMakesNoOffers: each would be a connection with a port of its own that waits. It learns at once that it is alone.
func TestASeederAloneMakesNoOffers(t *testing.T) {
	r := newRelay(t)
	node := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	counted := make(chan Census, 8)
	join(t, node, r, 0, &recorder{}, func(c *SwarmConfig) {
		c.PeerID, c.Offers, c.Seek, c.Counted = seederID(0), -1, 4, func(census Census) { counted <- census }
	})
	if got := <-counted; got != (Census{}) {
		t.Errorf("it is told of %+v", got)
	}
	viewer := newTestNode(t, NodeConfig{})
	join(t, viewer, r, 1, &recorder{}, func(c *SwarmConfig) { c.Counted = func(census Census) { counted <- census } })
	if got := <-counted; got != (Census{Peers: 1, Seeders: 1}) {
		t.Errorf("a viewer is told of %+v", got)
	}
	if n := node.offers.Load(); n > 0 {
		t.Errorf("%d offers wait", n)
	}
}

// TestSeedersOfForeignTrackersStayApart: their offers may come from a port that they share.
func TestSeedersOfForeignTrackersStayApart(t *testing.T) {
	r := newForeign(t)
	a, b := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"}), newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	var x, y recorder
	join(t, a, r, 0, &x, answersOnly, func(c *SwarmConfig) { c.PeerID, c.Seek = seederID(0), 2 })
	join(t, b, r, 1, &y, answersOnly, func(c *SwarmConfig) { c.PeerID, c.Seek = seederID(1), 2 })
	until(t, "an offer to be dropped", func() bool {
		return counter(t, a.metrics.dropped.WithLabelValues(reasonSeeder))+counter(t, b.metrics.dropped.WithLabelValues(reasonSeeder)) > 0
	})
	if x.first() != nil || y.first() != nil {
		t.Error("they are connected")
	}
}

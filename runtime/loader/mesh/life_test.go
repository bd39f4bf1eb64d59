package mesh

import (
	"errors"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func TestSeveralTrackersAtOnce(t *testing.T) {
	one, two := newRelay(t), newRelay(t)
	dead := newRelay(t)
	dead.stop()
	both := func(c *SwarmConfig) { c.Trackers = []string{dead.url(), one.url(), two.url(), two.url() + "/"} }
	na, nb := newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{})
	var a, b recorder
	sa := join(t, na, one, 1, &a, both)
	sb := join(t, nb, one, 2, &b, both)
	for _, r := range []*relay{one, two} {
		until(t, "both announced", func() bool { return r.count(signaling.EventStarted) == 2 && r.socketCount() == 2 })
	}
	until(t, "one connection", func() bool { return sa.Peers() == 1 && sb.Peers() == 1 })
	until(t, "nothing else is being set up", func() bool { return na.connections.Load() == 1 && nb.connections.Load() == 1 })
	until(t, "the dead tracker is tried again", func() bool { return counter(t, na.metrics.trackerReconnects) >= 1 })
}

func TestHandshakesWaitTheirTurn(t *testing.T) {
	const viewers = 16 // two at a time, fourteen wait
	r := newRelay(t)
	seeder := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0", HandshakeLimit: 2})
	ss := join(t, seeder, r, 0, &recorder{}, answersOnly)
	until(t, "seeder announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	r.only(peerID(0))
	for i := range viewers {
		join(t, newTestNode(t, NodeConfig{}), r, i+1, &recorder{}, func(c *SwarmConfig) { c.Offers = 1 })
	}
	until(t, "all viewers open", func() bool { return ss.Peers() == viewers })
	until(t, "no slot is kept", func() bool {
		seeder.gate.mu.Lock()
		defer seeder.gate.mu.Unlock()
		return seeder.gate.running == 0 && len(seeder.gate.waiting) == 0
	})
}

// A browser whose machine loses power says nothing.
func TestSilentPeerIsNoticed(t *testing.T) {
	var a, b recorder
	pa, pb := pair(t, NodeConfig{Listen: "127.0.0.1:0"}, NodeConfig{}, &a, &b)
	since := time.Now()
	if err := pa.Swarm().node.engine.mux.Close(); err != nil {
		t.Fatal(err)
	}
	<-pb.Done()
	if took := time.Since(since); took < iceDisconnected || took > 20*time.Second {
		t.Errorf("noticed after %s", took)
	}
	until(t, "handler heard", func() bool { return len(b.causes()) == 1 })
	if c := b.causes()[0]; !errors.Is(c, ErrConnectionLost) {
		t.Errorf("cause is %v", c)
	}
}

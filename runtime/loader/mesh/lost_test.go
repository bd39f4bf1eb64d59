package mesh

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func asSeeder(c *SwarmConfig) {
	c.PeerID = identity.PeerID(identity.SeederPrefix + string(c.PeerID[len(identity.SeederPrefix):]))
}

func (r *relay) toldLost() []signaling.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]signaling.ID(nil), r.lost...)
}

// TestASeederTellsOfLostViewers: one that closed the connection, and none that the seeder closed itself.
func TestASeederTellsOfLostViewers(t *testing.T) {
	r := newRelay(t)
	var seeder, a, b recorder
	n, na, nb := newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{})
	join(t, n, r, 1, &seeder, asSeeder, answersOnly)
	join(t, na, r, 2, &a)
	join(t, nb, r, 3, &b)
	until(t, "both meet the seeder", func() bool { return len(seeder.all()) == 2 })
	for _, p := range seeder.all() {
		if p.ID() == peerID(3) {
			p.Close(nil) // by the seeder's own decision
		}
	}
	until(t, "the seeder's end to be closed", func() bool { return len(seeder.causes()) == 1 })
	for _, p := range a.all() {
		if p.ID() != peerID(3) {
			p.Close(nil)
		}
	}
	until(t, "the tracker to be told", func() bool { return len(r.toldLost()) > 0 })
	if got := r.toldLost(); len(got) != 1 || got[0] != hashOf(string(peerID(2))) {
		t.Errorf("told of %v", got)
	}
}

func (r *recorder) all() []*Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Peer(nil), r.peers...)
}

// TestLostPeersAreTold once in a while, and no more of them than are kept.
func TestLostPeersAreToldOnceInAWhile(t *testing.T) {
	var l lost
	now := time.Now()
	first := 0
	for i := range lostKept + 10 {
		id := identity.PeerID(fmt.Sprintf("-PV0001-%012d", i))
		if l.first(id, now) {
			first++
		}
		if l.first(id, now.Add(lostAgain-time.Millisecond)) {
			t.Fatalf("peer %d is told again at once", i)
		}
	}
	if first != lostKept {
		t.Errorf("%d peers are kept", first)
	}
	if !l.first(peerID(1), now.Add(lostAgain)) || len(l.reported) != 1 {
		t.Errorf("%d peers are kept after a while", len(l.reported))
	}
}

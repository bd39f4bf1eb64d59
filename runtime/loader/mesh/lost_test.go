package mesh

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// asPage gives the peer the id of a page with p2p-media-loader 2.3.
func asPage(c *SwarmConfig) { c.PeerID = identity.PeerID("-PM0203-" + string(c.PeerID[8:])) }

func asSeeder(c *SwarmConfig) {
	c.PeerID = identity.PeerID(identity.SeederPrefix + string(c.PeerID[len(identity.SeederPrefix):]))
}

func (r *relay) toldLost() []signaling.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]signaling.ID(nil), r.lost...)
}

// TestASeederTellsOfLostPages: one that closed the connection, none that the seeder closed itself, and none of our viewers.
func TestASeederTellsOfLostPages(t *testing.T) {
	const page, closed, viewer = 2, 3, 4
	r := newRelay(t)
	var seeder recorder
	var ends [5]recorder
	join(t, newTestNode(t, NodeConfig{}), r, 1, &seeder, asSeeder, answersOnly)
	join(t, newTestNode(t, NodeConfig{}), r, page, &ends[page], asPage)
	join(t, newTestNode(t, NodeConfig{}), r, closed, &ends[closed], asPage)
	join(t, newTestNode(t, NodeConfig{}), r, viewer, &ends[viewer])
	until(t, "all meet the seeder", func() bool { return len(seeder.all()) == 3 })
	number := func(p *Peer) int { return int(p.ID()[len(p.ID())-1] - '0') }
	for _, p := range seeder.all() {
		if number(p) == closed {
			p.Close(nil) // by the seeder's own decision
		}
	}
	leave := func(end *recorder) {
		before := len(seeder.causes())
		for _, p := range end.all() {
			if isSeeder(p.ID()) {
				p.Close(nil)
			}
		}
		until(t, "the seeder's end to be closed", func() bool { return len(seeder.causes()) > before })
	}
	until(t, "the seeder's end to be closed", func() bool { return len(seeder.causes()) == 1 })
	leave(&ends[viewer])
	leave(&ends[page])
	until(t, "the tracker to be told", func() bool { return len(r.toldLost()) > 0 })
	if got := r.toldLost(); len(got) != 1 || !strings.HasSuffix(got[0].String(), "2") {
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

package swarm

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// FuzzCore lets a handful of clients do anything in any order, two bytes an action, and checks the invariants
// after each: this is what hostile clients can do once their messages parse.
func FuzzCore(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x01\x09\x02\x12\x11\x03\x00\x04\x01"))
	f.Add([]byte("announce, answer, leave, come back as another and never say goodbye"))
	f.Add([]byte{0x05, 0x00, 0x05, 0x11, 0x01, 0x02, 0x01, 0x12, 0x06, 0xff, 0x06, 0xff, 0x02, 0x00, 0x03, 0x00})
	names := [...]string{"a", "b", "c", "d", "e", "S1", "S2", "f"}
	f.Fuzz(func(t *testing.T, deeds []byte) {
		if len(deeds) > 2000 {
			deeds = deeds[:2000]
		}
		cfg := Defaults()
		cfg.PeersPerSwarm, cfg.PendingOffers, cfg.Peers, cfg.MaxPeers = 6, 20, 2, 3
		w := newWorld(t, cfg)
		for ; len(deeds) >= 2; deeds = deeds[2:] {
			deed, detail := deeds[0]&7, deeds[1]
			name := names[deeds[0]>>3&7]
			// Few ids and two swarms, so that clients get in each other's way.
			id := int(detail & 7)
			hash := hashOne
			hash[0] += detail >> 7
			m := signaling.ClientMessage{Action: signaling.ActionAnnounce, InfoHash: hash, PeerID: peerID(id), NumWant: -1}
			sock := w.sock(name)
			switch deed {
			case 0, 1:
				m = w.announceMessage(id, int(detail>>3&7))
				m.InfoHash = hash
				w.handle(sock, m)
			case 2:
				m.Event = signaling.EventStopped
				w.handle(sock, m)
			case 3:
				m.Event, m.Complete = signaling.EventCompleted, true
				w.handle(sock, m)
			case 4:
				w.answerAll(name, id)
			case 5:
				w.core.Close(sock)
				delete(w.socks, name)
			case 6:
				w.pass(time.Duration(detail) * time.Second)
			case 7:
				if detail > 200 {
					w.core.Forget(sock, hash, m.PeerID)
					break
				}
				w.core.SetLoad(sock, int(detail)-10, int(detail)*3-20)
			}
			w.check()
			checkBounds(t, w)
		}
		for name, sock := range w.socks {
			w.core.Close(sock)
			delete(w.socks, name)
		}
		if len(w.core.swarms) != 0 {
			t.Fatalf("%d swarms without members", len(w.core.swarms))
		}
	})
}

// checkBounds checks the size of everything that clients can make grow.
func checkBounds(t *testing.T, w *world) {
	t.Helper()
	members := 0
	for _, s := range w.core.swarms {
		viewers := 0
		for _, p := range s.members {
			members++
			viewers += asInt(!p.Seeder())
			if p.slotAt.second == 0 || w.core.wheel.slot[p.slotAt.second%slots][p.slotAt.place] != p {
				t.Fatal("a peer that never expires")
			}
			if takes := p.offersAllowed(w.now); takes < 0 {
				t.Fatalf("a peer may be given %v offers", takes)
			}
		}
		if viewers > w.core.cfg.PeersPerSwarm {
			t.Fatalf("%d viewers in a swarm", viewers)
		}
	}
	waiting := 0
	for _, slot := range w.core.wheel.slot {
		waiting += len(slot)
	}
	if waiting != members {
		t.Fatalf("%d peers in the wheel, %d in swarms", waiting, members)
	}
	if n := w.core.pending.len(); n > w.core.cfg.PendingOffers {
		t.Fatalf("%d offers pending", n)
	}
}

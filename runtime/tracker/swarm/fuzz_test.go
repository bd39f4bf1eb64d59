package swarm

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// FuzzCore lets a handful of clients do anything in any order, two bytes an action, and checks the invariants
// after each: this is what hostile clients can do once their messages parse.
func FuzzCore(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x01\x09\x02\x12\x11\x03\x00\x04\x01"))
	f.Add([]byte("announce, answer, leave, come back as another and never say goodbye"))
	f.Add([]byte{0x07, 0x80, 0x0f, 0x80, 0x00, 0x29, 0x08, 0x2a, 0x2f, 0x84, 0x28, 0x03, 0x2c, 0x03, 0x06, 0x30, 0x05, 0x00, 0x0f, 0x79, 0x07, 0x6a})
	f.Add([]byte{0x05, 0x00, 0x05, 0x11, 0x01, 0x02, 0x01, 0x12, 0x06, 0xff, 0x06, 0xff, 0x02, 0x00, 0x03, 0x00})
	names := [...]string{"a", "b", "c", "d", "e", "S1", "S2", "f"}
	f.Fuzz(func(t *testing.T, deeds []byte) {
		if len(deeds) > 2000 {
			deeds = deeds[:2000]
		}
		cfg := immediate()
		cfg.PeersPerSwarm, cfg.PendingOffers, cfg.Peers, cfg.MaxPeers = 6, 20, 2, 3
		cfg.CellSize, cfg.Gateways = 2, 1
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
				w.receive(w.core.Close(sock))
				delete(w.socks, name)
			case 6:
				w.pass(time.Duration(detail) * time.Second)
			case 7:
				switch {
				case detail > 200:
					w.receive(w.core.Forget(sock, hash, m.PeerID))
				case detail > 120:
					w.receive(w.core.Move(sock, anyPlace(detail), w.now))
				case detail > 100:
					w.core.Delivered(sock, int64(detail)<<(detail&63), w.now)
				default:
					w.core.SetLoad(sock, int(detail)-10, int(detail)*3-20)
				}
			}
			w.check()
			checkBounds(t, w)
		}
		for name, sock := range w.socks {
			w.core.Close(sock)
			delete(w.socks, name)
		}
		if st := &w.core.Stats; st.Gateways.Load() != 0 || st.Cells.Load() != 0 || len(w.core.sited) != 0 {
			t.Fatalf("%d gateways, %d cells without viewers", st.Gateways.Load(), st.Cells.Load())
		}
		if len(w.core.swarms) != 0 {
			t.Fatalf("%d swarms without members", len(w.core.swarms))
		}
	})
}

// anyPlace is one of a few places.
func anyPlace(detail byte) Place {
	p := Place{Site: []string{"", "Bern", "Rome"}[detail%3], Peering: []sites.Peering{sites.Full, sites.Full, sites.ReceiveOnly, sites.Off, ""}[detail/3%5],
		CrossSite: detail&1 > 0, Edge: detail&2 > 0, Gateways: int(detail>>3&3) - 1}
	if p.Peering == "" {
		return Place{}
	}
	return p
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

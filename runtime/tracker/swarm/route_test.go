package swarm

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestRouteProperties plays random worlds and checks every routing against the rules, and the state against its invariants.
func TestRouteProperties(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		cfg := immediate()
		cfg.MaxPeers, cfg.Peers, cfg.SeederPeers = 6, 4, 5
		w := newWorld(t, cfg)
		type pair struct{ a, b signaling.ID }
		offered := map[pair]time.Time{}
		linked := map[pair]time.Time{}
		key := func(a, b signaling.ID) pair {
			if a.String() > b.String() {
				a, b = b, a
			}
			return pair{a, b}
		}
		name := func(i int) string {
			if i < 3 {
				return "S" + string(rune('a'+i))
			}
			return "V" + string(rune('a'+i))
		}
		for range 400 {
			i := rnd.IntN(25)
			sock := w.sock(name(i))
			switch rnd.IntN(10) {
			case 0:
				w.core.Close(sock)
				delete(w.socks, name(i))
				delete(w.inbox, sock)
			case 1:
				w.pass(time.Duration(rnd.IntN(30)) * time.Second)
			case 2, 3, 4:
				if rnd.IntN(3) > 0 {
					for _, o := range w.take(name(i), signaling.KindOffer) {
						before := w.core.Stats.AnswersRelayed.Load()
						w.answer(name(i), i, o)
						if w.core.Stats.AnswersRelayed.Load() > before {
							linked[key(peerID(i), o.PeerID)] = w.now
						}
					}
				}
			default:
				before := map[*Socket]int{}
				for s, in := range w.inbox {
					before[s] = len(in)
				}
				n := rnd.IntN(7)
				w.announce(name(i), i, n)
				relayed := 0
				for other, s := range w.socks {
					got := 0
					for _, m := range w.inbox[s][before[s]:] {
						if m.Kind != signaling.KindOffer {
							continue
						}
						got++
						relayed++
						to := int(other[1] - 'a')
						k := key(peerID(i), peerID(to))
						switch last, again := offered[k]; {
						case m.PeerID != peerID(i) || s == sock:
							t.Fatal("offer came back to its sender")
						case s.Seeder && sock.Seeder:
							t.Fatal("offer between seeders")
						case again && linked[k].IsZero() && w.now.Sub(last) < 2*cfg.MinInterval:
							t.Fatal("same pair again within two intervals")
						case !linked[k].IsZero() && w.now.Sub(linked[k]) < cfg.RepeatAfter:
							t.Fatal("offer to a peer that is connected")
						}
						offered[k] = w.now
					}
					if got > 1 {
						t.Fatal("two offers of one announce to one peer")
					}
				}
				if relayed > n {
					t.Fatal("more offers than were sent")
				}
			}
			w.check()
			// A peer that left returns under a new id.
			member := func(id signaling.ID) bool {
				s := w.core.swarms[hashOne]
				return s != nil && s.latest[id] != nil
			}
			for _, known := range []map[pair]time.Time{offered, linked} {
				for k := range known {
					if !member(k.a) || !member(k.b) {
						delete(known, k)
					}
				}
			}
			for _, s := range w.core.swarms {
				for _, p := range s.members {
					// A saturated seeder got no further offers.
					if p.Seeder() && p.degree > cfg.SeederPeers || !p.Seeder() && p.degree > cfg.crowded()+cfg.Seeders+3 {
						t.Fatalf("degree %d, seeder %v", p.degree, p.Seeder())
					}
				}
			}
		}
	}
}

func TestRouteSeedersFirstAndLeastLoaded(t *testing.T) {
	w := newWorld(t, immediate())
	for i, load := range []int{150, 10, 90, 200} {
		name := "S" + string(rune('0'+i))
		w.announce(name, i, 0)
		w.core.SetLoad(w.sock(name), load, 200)
	}
	for i := range 20 {
		w.announce("V", 100+i, 0)
	}
	w.announce("A", 50, 5)
	for i, want := range []int{0, 1, 1, 0} {
		if got := len(w.take("S"+string(rune('0'+i)), signaling.KindOffer)); got != want {
			t.Errorf("seeder %d got %d offers, want %d", i, got, want)
		}
	}
	if got := len(w.take("V", signaling.KindOffer)); got != 3 {
		t.Errorf("viewers got %d offers, want 3", got)
	}
	w.check()
}

func TestRouteLoadIsEven(t *testing.T) {
	w := newWorld(t, immediate())
	for i := range 4 {
		w.announce("S"+string(rune('0'+i)), i, 0)
	}
	for i := range 200 {
		w.announce("V", 100+i, 5)
	}
	for i := range 4 {
		if got := len(w.take("S"+string(rune('0'+i)), signaling.KindOffer)); got < 90 || got > 110 {
			t.Errorf("seeder %d got %d of 400 offers", i, got)
		}
	}
	for _, p := range w.core.swarms[hashOne].members {
		if !p.Seeder() && p.seeders != 2 {
			t.Fatalf("a viewer has %d seeders", p.seeders)
		}
	}
	w.check()
}

func TestRouteSeederOffersGoToBareViewers(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("V", 1, 0)
	w.announce("S1", 10, 2)
	if got := len(w.take("V", signaling.KindOffer)); got != 1 {
		t.Fatalf("viewer without a seeder got %d offers", got)
	}
	w.announce("S2", 11, 2)
	if got := len(w.take("V", signaling.KindOffer)); got != 0 {
		t.Fatalf("viewer with a seeder got %d offers", got)
	}
	w.check()
}

// TestSwarmIsOnePiece lets a crowd join in waves and checks that all peers are connected with each other, directly or not.
func TestSwarmIsOnePiece(t *testing.T) {
	cfg := immediate()
	cfg.Seeders = 0
	w := newWorld(t, cfg)
	const n = 300
	name := func(i int) string { return "V" + string(rune(0x100+i)) }
	for i := range n {
		w.announce(name(i), i, 5)
		for j := range i {
			w.answerAll(name(j), j)
		}
		if i%20 == 19 {
			w.pass(time.Second)
		}
	}
	s := w.core.swarms[hashOne]
	seen := map[*Peer]bool{}
	todo := []*Peer{s.latest[peerID(0)]}
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		if seen[p] {
			continue
		}
		seen[p] = true
		for i := range p.relations {
			if p.relations[i].linked {
				todo = append(todo, p.relations[i].peer)
			}
		}
	}
	if len(seen) != n {
		t.Fatalf("%d of %d are connected", len(seen), n)
	}
}

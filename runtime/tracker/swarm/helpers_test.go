package swarm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

var (
	began   = time.Unix(1_700_000_000, 0)
	hashOne = signaling.ID([]byte("tlCIAIrI13koYCQLatNp"))
)

func peerID(n int) signaling.ID { return signaling.ID([]byte(fmt.Sprintf("-PM0203-%012d", n))) }

// world is a core with clients that remember what they were sent.
type world struct {
	t     testing.TB
	core  *Core
	now   time.Time
	socks map[string]*Socket
	next  int
	inbox map[*Socket][]signaling.TrackerMessage
	probe map[*Socket]int
}

func newWorld(t testing.TB, cfg Config) *world {
	return &world{t: t, core: NewCore(cfg, nil, rand.New(rand.NewPCG(1, 2))), now: began,
		socks: map[string]*Socket{}, inbox: map[*Socket][]signaling.TrackerMessage{}, probe: map[*Socket]int{}}
}

func (w *world) sock(name string) *Socket {
	if w.socks[name] == nil {
		w.socks[name] = &Socket{Ref: name, Seeder: name[0] == 'S'}
	}
	return w.socks[name]
}

func (w *world) handle(sock *Socket, m signaling.ClientMessage) {
	w.t.Helper()
	for _, d := range w.core.Handle(sock, &m, w.now) {
		if d.Probe {
			w.probe[d.To]++
			continue
		}
		// The inbox outlives the core's buffer.
		got, err := signaling.ParseTrackerMessage(append([]byte(nil), d.Payload...))
		if err != nil {
			w.t.Fatalf("%v: %s", err, d.Payload)
		}
		w.inbox[d.To] = append(w.inbox[d.To], got)
	}
}

func (w *world) announceMessage(id, offers int) signaling.ClientMessage {
	m := signaling.ClientMessage{Action: signaling.ActionAnnounce, InfoHash: hashOne, PeerID: peerID(id), NumWant: offers}
	for range offers {
		w.next++
		m.Offers = append(m.Offers, signaling.Offer{SDP: signaling.Raw(`"sdp"`), ID: signaling.Raw(fmt.Sprintf(`"%020d"`, w.next))})
	}
	return m
}

func (w *world) announce(name string, id, offers int) {
	w.t.Helper()
	w.handle(w.sock(name), w.announceMessage(id, offers))
}

// take empties an inbox and returns its messages of one kind.
func (w *world) take(name string, kind signaling.Kind) (all []signaling.TrackerMessage) {
	sock := w.sock(name)
	for _, m := range w.inbox[sock] {
		if m.Kind == kind {
			all = append(all, m)
		}
	}
	w.inbox[sock] = nil
	return all
}

// answer answers one relayed offer.
func (w *world) answer(name string, id int, offer signaling.TrackerMessage) {
	w.t.Helper()
	w.handle(w.sock(name), signaling.ClientMessage{Action: signaling.ActionAnswer, InfoHash: offer.InfoHash, PeerID: peerID(id),
		ToPeerID: offer.PeerID, SDP: signaling.Raw(`"answer"`), OfferID: offer.OfferID})
}

// answerAll has a client answer all offers in its inbox.
func (w *world) answerAll(name string, id int) int {
	offers := w.take(name, signaling.KindOffer)
	for _, o := range offers {
		w.answer(name, id, o)
	}
	return len(offers)
}

func (w *world) pass(d time.Duration) {
	for range int(d / time.Second) {
		w.now = w.now.Add(time.Second)
		w.core.Tick(w.now)
	}
}

// check verifies the invariants of the state.
func (w *world) check() {
	w.t.Helper()
	for _, s := range w.core.swarms {
		seederless, viewers, seeders := 0, 0, 0
		for _, p := range s.members {
			if s.members[member{p.sock, p.id}] != p {
				w.t.Fatal("a peer is not found")
			}
			degree, links, failed, withSeeders := 0, 0, 0, 0
			for i := range p.relations {
				r := &p.relations[i]
				back := r.peer.relation(p)
				if back == nil || back.linked != r.linked || back.pending != r.pending || back.mine == r.mine {
					w.t.Fatalf("relation %v is not mutual", r)
				}
				if r.peer.swarm != s || (r.peer.Seeder() && p.Seeder()) || r.peer == p {
					w.t.Fatal("relation with a stranger")
				}
				degree += asInt(r.counts())
				links += asInt(r.real())
				failed += asInt(r.failed())
				if r.theirs != back.ignored || r.failures != back.failures {
					w.t.Fatal("the two sides differ")
				}
				if r.peer.id == p.id {
					w.t.Fatal("peers with one id were introduced to each other")
				}
				withSeeders += asInt(r.counts() && r.peer.Seeder() && !p.Seeder())
			}
			if degree != p.degree || links != p.links || failed != p.failed || withSeeders != p.seeders {
				w.t.Fatalf("peer counts %d %d %d, has %d %d %d", p.degree, p.links, p.seeders, degree, links, withSeeders)
			}
			index := &s.viewers
			if p.Seeder() {
				index = &s.seeders
				seeders++
			} else {
				viewers++
				seederless += asInt(withSeeders == 0)
				if (p.seederless >= 0) != (withSeeders == 0) || (p.seederless >= 0 && s.seederless[p.seederless] != p) {
					w.t.Fatal("list of viewers without a seeder is wrong")
				}
			}
			if p.place.bucket != s.bucket(p) || index.classes[p.place.bucket][p.place.pos] != p {
				w.t.Fatalf("peer is in the wrong place: %v, want %d", p.place, s.bucket(p))
			}
		}
		for id, p := range s.latest {
			if p.id != id || p.swarm != s {
				w.t.Fatal("the latest peer of an id is not a member")
			}
		}
		if seederless != len(s.seederless) || viewers != s.viewers.n || seeders != s.seeders.n || int(s.counts.Peers.Load()) != len(s.members) {
			w.t.Fatal("lists and counts differ")
		}
	}
}

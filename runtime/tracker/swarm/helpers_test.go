package swarm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
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
	seen  func(to *Socket, m signaling.TrackerMessage) // is called for each message; nil: not
	// told is what each seeder was told last of each viewer.
	told map[*Socket]map[signaling.ID]signaling.Origin
}

// immediate is the default configuration, but for new cells, which have all their gateways at once.
func immediate() Config {
	cfg := Defaults()
	cfg.NewCell = 0
	return cfg
}

func newWorld(t testing.TB, cfg Config) *world {
	return &world{t: t, core: NewCore(cfg, nil, rand.New(rand.NewPCG(1, 2))), now: began,
		socks: map[string]*Socket{}, inbox: map[*Socket][]signaling.TrackerMessage{}, probe: map[*Socket]int{},
		told: map[*Socket]map[signaling.ID]signaling.Origin{}}
}

func (w *world) sock(name string) *Socket {
	if w.socks[name] == nil {
		w.socks[name] = &Socket{Ref: name, Seeder: name[0] == 'S'}
	}
	return w.socks[name]
}

func (w *world) handle(sock *Socket, m signaling.ClientMessage) {
	w.t.Helper()
	w.receive(w.core.Handle(sock, &m, w.now))
}

// receive puts messages into the inboxes.
func (w *world) receive(all []Delivery) {
	w.t.Helper()
	for _, d := range all {
		if d.Probe {
			w.probe[d.To]++
			continue
		}
		// The inbox outlives the core's buffer.
		got, err := signaling.ParseTrackerMessage(append([]byte(nil), d.Payload...))
		if err != nil {
			w.t.Fatalf("%v: %s", err, d.Payload)
		}
		w.learn(d.To, got)
		if w.seen != nil {
			w.seen(d.To, got)
		}
		w.inbox[d.To] = append(w.inbox[d.To], got)
	}
}

// learn notes what a seeder is told of viewers.
func (w *world) learn(to *Socket, m signaling.TrackerMessage) {
	about := m.PeerID
	switch {
	case m.HasAbout:
		about = m.About
		if !to.Seeder {
			w.t.Fatal("a viewer is told where another one is")
		}
	case m.Kind != signaling.KindOffer && m.Kind != signaling.KindAnswer, !to.Seeder:
		return
	}
	if w.told[to] == nil {
		w.told[to] = map[signaling.ID]signaling.Origin{}
	}
	w.told[to][about] = m.Origin
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
		w.receive(w.core.Tick(w.now))
	}
}

// check verifies the invariants of the state.
func (w *world) check() {
	w.t.Helper()
	for _, s := range w.core.swarms {
		seederless, viewers, seeders, central := 0, 0, 0, 0
		for _, p := range s.members {
			if s.members[member{p.sock, p.id}] != p {
				w.t.Fatal("a peer is not found")
			}
			degree, links, failed, withSeeders, withInsiders := 0, 0, 0, 0, 0
			for i := range p.relations {
				r := &p.relations[i]
				back := r.peer.relation(p)
				if back == nil || back.linked != r.linked || back.pending != r.pending || back.mine == r.mine {
					w.t.Fatalf("relation %v is not mutual", r)
				}
				if r.peer.swarm != s || r.peer == p {
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
				if !mayMeet(p.sock, r.peer.sock) {
					w.t.Fatalf("%+v was introduced to %+v", p.sock.Place, r.peer.sock.Place)
				}
				if r.linked && r.peer.Seeder() && !p.Seeder() {
					var want signaling.Origin
					if o := origin(p, r.peer); o != nil {
						want = *o
					}
					if got := w.told[r.peer.sock][p.id]; got != want {
						w.t.Fatalf("a seeder was told %+v of a viewer, which has %+v", got, want)
					}
				}
				withSeeders += asInt(r.counts() && p.takesFrom(r.peer) && !p.insider(r.peer))
				withInsiders += asInt(r.counts() && p.takesFrom(r.peer) && p.insider(r.peer))
			}
			if degree != p.degree || links != p.links || failed != p.failed || withSeeders != p.seeders || withInsiders != p.insiders {
				w.t.Fatalf("peer counts %d %d %d %d, has %d %d %d %d", p.degree, p.links, p.seeders, p.insiders, degree, links, withSeeders, withInsiders)
			}
			place := &p.sock.Place
			if p.Seeder() {
				seeders++
				if place.central() {
					central++
					inIndex(w.t, &s.seeders, p)
				}
				if place.Site != "" {
					inIndex(w.t, &s.sites[place.Site].seeders, p)
				}
				continue
			}
			viewers++
			seederless += asInt(p.seederless >= 0)
			if (p.seederless >= 0) != (withSeeders == 0 && s.wantsOutside(p)) || (p.seederless >= 0 && s.seederless.peers[p.seederless] != p) {
				w.t.Fatal("list of viewers without a seeder is wrong")
			}
			if p.group != nil && place.uploads() {
				inIndex(w.t, &p.group.viewers, p)
			}
			if (p.group == nil) != (place.Peering == sites.Off) || (p.cell != nil) != (place.Site != "" && p.group != nil) {
				w.t.Fatal("a viewer is in the wrong group")
			}
		}
		w.checkSites(s)
		for id, p := range s.latest {
			if p.id != id || p.swarm != s {
				w.t.Fatal("the latest peer of an id is not a member")
			}
		}
		if seederless != len(s.seederless.peers) || viewers+seeders != len(s.members) || central != s.seeders.n || int(s.counts.Peers.Load()) != len(s.members) {
			w.t.Fatal("lists and counts differ")
		}
	}
}

// inIndex checks that a peer is where its index has it.
func inIndex(t testing.TB, x *index, p *Peer) {
	t.Helper()
	if at := x.at(p); at.bucket != p.swarm.bucket(p) || x.classes[at.bucket][at.pos] != p {
		t.Fatalf("peer is in the wrong place: %v, want %d", *at, p.swarm.bucket(p))
	}
}

// checkSites verifies the invariants of sites, cells and gateways.
func (w *world) checkSites(s *Swarm) {
	w.t.Helper()
	if len(s.sites) != len(s.siteList) {
		w.t.Fatal("sites and their list differ")
	}
	for _, where := range s.siteList {
		if s.sites[where.name] != where || len(where.cells) == 0 && where.seeders.n == 0 {
			w.t.Fatal("a site without peers is left")
		}
		numbers := map[int]bool{}
		insideless := 0
		for _, c := range where.cells {
			if c.size == 0 || c.size != len(c.members.peers) || c.size > where.cellSize || numbers[c.number] {
				w.t.Fatalf("cell %d counts %d members, has %d", c.number, c.size, len(c.members.peers))
			}
			numbers[c.number] = true
			able := 0
			for i, p := range c.members.peers {
				able += asInt(p.sock.Place.uploads())
				insideless += asInt(p.insideless >= 0)
				if p.cell != c || p.memberAt != i || p.sock.Place.Site != where.name || (p.insideless >= 0) != (p.insiders == 0) {
					w.t.Fatal("a member of a cell is wrong")
				}
				if slices.Contains(c.gateways, p) != p.isGateway() {
					w.t.Fatal("a gateway is not listed")
				}
			}
			// Gateways are within their bound, and there are always as many as there can be: one while a cell is new.
			most := min(where.gateways, able)
			least := most
			if w.now.Sub(c.opened) < w.core.cfg.NewCell {
				least = min(1, most)
			}
			if n := len(c.gateways); n < least || n > most {
				w.t.Fatalf("%d gateways of %d members, want %d to %d", n, able, least, most)
			}
			for _, p := range c.gateways {
				if p.cell != c || !p.sock.Place.uploads() || (p.crossing >= 0) != p.sock.Place.CrossSite {
					w.t.Fatal("a gateway that must not be one")
				}
			}
		}
		if insideless != len(where.seederless.peers) {
			w.t.Fatal("list of viewers without a seeder inside is wrong")
		}
	}
}

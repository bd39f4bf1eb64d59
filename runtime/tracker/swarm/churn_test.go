package swarm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// town is sites whose viewers come and go. They behave as browsers do, and connect with every peer that answers.
type town struct {
	*world
	rnd     *rand.Rand
	places  []Place
	seeders map[int]Place
	// viewers by number. Numbers are not used again.
	viewers map[int]*townsman
	order   []int
	count   int
	linked  map[[2]int]bool
}

type townsman struct {
	place  Place
	next   time.Time
	silent bool // its socket is open, and it does nothing
}

// seederNumber is the first number of a seeder.
const seederNumber = 1_000_000

func newTown(t testing.TB, cfg Config, seed uint64, places []Place, seeders ...Place) *town {
	w := newWorld(t, cfg)
	w.core.rnd = rand.New(rand.NewPCG(seed, 1))
	n := &town{world: w, rnd: rand.New(rand.NewPCG(seed, 2)), places: places, seeders: map[int]Place{},
		viewers: map[int]*townsman{}, linked: map[[2]int]bool{}}
	w.seen = n.introduced
	for i, place := range seeders {
		id := seederNumber + i
		n.seeders[id] = place
		w.at(n.name(id), place)
		w.announce(n.name(id), id, 0)
	}
	return n
}

func (n *town) name(id int) string {
	if id >= seederNumber {
		return fmt.Sprint("S", id)
	}
	return fmt.Sprint("v", id)
}

func (n *town) inSite(site string) (all int) {
	for _, v := range n.viewers {
		all += asInt(v.place.Site == site)
	}
	return all
}

// join lets a viewer come to a site.
func (n *town) join(place Place) {
	id := n.count
	n.count++
	first := n.inSite(place.Site) == 0
	n.viewers[id] = &townsman{place: place}
	n.order = append(n.order, id)
	n.at(n.name(id), place)
	n.announceNow(id)
	if first {
		led := 0
		for s := range n.seeders {
			for _, m := range n.inbox[n.sock(n.name(s))] {
				led += asInt(m.Kind == signaling.KindOffer && number(m.PeerID) == id)
			}
		}
		if led == 0 {
			n.t.Fatalf("the first viewer of %s was led to no seeder", place.Site)
		}
	}
}

func (n *town) announceNow(id int) {
	offers := 5
	if id >= seederNumber {
		offers = n.wanted(n.name(id))
	} else {
		n.viewers[id].next = n.now.Add(30 * time.Second)
	}
	n.announce(n.name(id), id, offers)
}

// introduced checks who is introduced to whom.
func (n *town) introduced(to *Socket, m signaling.TrackerMessage) {
	if m.Kind != signaling.KindOffer && m.Kind != signaling.KindAnswer {
		return
	}
	from := n.sock(n.name(number(m.PeerID)))
	if !mayMeet(from, to) {
		n.t.Fatalf("%+v was introduced to %+v", from.Place, to.Place)
	}
	if m.Origin.Near != from.Place.inside(&to.Place) || !to.Seeder && m.Origin.Site != "" || to.Seeder && m.Origin.Site != from.Place.Site {
		n.t.Fatalf("%+v was told %+v of %+v", to.Place, m.Origin, from.Place)
	}
}

// leave removes a viewer; how: by a goodbye, or by closing its socket.
func (n *town) leave(id int) {
	if n.rnd.IntN(2) == 0 {
		n.stopped(n.name(id), id)
	}
	n.receive(n.core.Close(n.sock(n.name(id))))
	delete(n.inbox, n.sock(n.name(id)))
	delete(n.socks, n.name(id))
	delete(n.viewers, id)
	for i, other := range n.order {
		if other == id {
			n.order = append(n.order[:i], n.order[i+1:]...)
			break
		}
	}
	for pair := range n.linked {
		if pair[0] == id || pair[1] == id {
			delete(n.linked, pair)
		}
	}
}

// read has a peer do what its messages make it do, and checks whom it was introduced to.
func (n *town) read(id int) {
	sock := n.sock(n.name(id))
	in := n.inbox[sock]
	n.inbox[sock] = nil
	wanted := 0
	for _, m := range in {
		from := number(m.PeerID)
		if m.Kind == signaling.KindOffer || m.Kind == signaling.KindAnswer {
			if from < seederNumber && n.viewers[from] == nil {
				continue // it has left
			}
		}
		switch m.Kind {
		case signaling.KindReply:
			if v := n.viewers[id]; v != nil {
				v.next = n.now.Add(time.Duration(m.Interval) * time.Second)
			}
		case signaling.KindAnswer:
			n.linked[[2]int{id, from}], n.linked[[2]int{from, id}] = true, true
		case signaling.KindOffer:
			if !n.linked[[2]int{id, from}] {
				n.answer(n.name(id), id, m)
			}
		}
		wanted += m.OffersWanted
	}
	if wanted > 0 {
		n.announce(n.name(id), id, wanted)
	}
}

func (n *town) second() {
	n.now = n.now.Add(time.Second)
	n.receive(n.core.Tick(n.now))
	for _, id := range n.order {
		if v := n.viewers[id]; !v.silent && !n.now.Before(v.next) {
			n.announceNow(id)
		}
	}
	for i := range len(n.seeders) {
		if int(n.now.Unix())%20 == i {
			n.announceNow(seederNumber + i)
		}
	}
	for range 3 { // requests, offers and the answers to them
		for i := range len(n.seeders) {
			n.read(seederNumber + i)
		}
		for _, id := range n.order {
			if !n.viewers[id].silent {
				n.read(id)
			}
		}
	}
}

// reach returns the distance of each viewer of a cell from the first one, in connections inside of the cell.
func (n *town) reach(members []*Peer) map[int]int {
	in := map[int]bool{}
	for _, p := range members {
		in[number(p.id)] = true
	}
	next := map[int][]int{}
	for pair := range n.linked {
		if in[pair[0]] && in[pair[1]] {
			next[pair[0]] = append(next[pair[0]], pair[1])
		}
	}
	start := number(members[0].id)
	far := map[int]int{start: 0}
	for todo := []int{start}; len(todo) > 0; todo = todo[1:] {
		for _, to := range next[todo[0]] {
			if _, seen := far[to]; !seen {
				far[to] = far[todo[0]] + 1
				todo = append(todo, to)
			}
		}
	}
	return far
}

// TestSitesUnderChurn plays sites whose viewers come, leave, fall silent and move, and checks the rules all the time.
func TestSitesUnderChurn(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := immediate()
			if seed%2 == 1 {
				cfg = Defaults()
			}
			cfg.CellSize = 40
			edge := full("Edge")
			edge.Edge = true
			one := full("One")
			one.Gateways = 1
			places := []Place{full("Bern"), full("Rome"), one, full("Edge")}
			n := newTown(t, cfg, seed, places, full("datacentre"), full("datacentre"), edge)
			for i := range 240 {
				for range 2 + n.rnd.IntN(2) {
					if i < 60 || n.rnd.IntN(3) == 0 {
						n.join(places[n.rnd.IntN(len(places))])
					}
				}
				for range 1 + n.rnd.IntN(2) {
					if i > 20 && len(n.order) > 0 {
						id := n.order[n.rnd.IntN(len(n.order))]
						switch n.rnd.IntN(10) {
						case 0:
							n.viewers[id].silent = true
						case 1:
							n.viewers[id].place = places[n.rnd.IntN(len(places))]
							n.receive(n.core.Move(n.sock(n.name(id)), n.viewers[id].place, n.now))
							for pair := range n.linked {
								if pair[0] == id || pair[1] == id {
									delete(n.linked, pair)
								}
							}
						default:
							n.leave(id)
						}
					}
				}
				n.second()
				n.check()
			}
			// The rest of the silent ones is found out, and the others settle.
			for range 240 {
				n.second()
			}
			n.check()
			n.settled()
		})
	}
}

// settled checks the meshes of a town in which nothing changes any more.
func (n *town) settled() {
	n.t.Helper()
	s := n.core.swarms[hashOne]
	cells, most := 0, 0
	for _, where := range s.siteList {
		for _, c := range where.cells {
			cells++
			var alive []*Peer
			for _, p := range c.members.peers {
				if !n.viewers[number(p.id)].silent {
					alive = append(alive, p)
				}
			}
			if len(alive) == 0 {
				continue
			}
			far := n.reach(alive)
			if len(far) != len(alive) {
				n.t.Errorf("%s: %d of %d viewers of a cell are connected", where.name, len(far), len(alive))
			}
			for _, d := range far {
				most = max(most, d)
			}
			for _, p := range c.gateways {
				id, led := number(p.id), false
				for i := range n.seeders {
					led = led || n.linked[[2]int{id, i}]
				}
				if !led || n.viewers[id].silent {
					n.t.Errorf("%s: gateway %d has no seeder", where.name, id)
				}
			}
		}
	}
	if cells < 4 || most > 5 {
		n.t.Errorf("%d cells, %d connections from the first viewer to the last", cells, most)
	}
	degree := map[int]int{}
	for pair := range n.linked {
		if pair[1] < seederNumber {
			degree[pair[0]]++
		}
	}
	for id, d := range degree {
		if id < seederNumber && d > n.core.cfg.crowded()+5 {
			n.t.Errorf("viewer %d has %d connections", id, d)
		}
	}
}

package swarm

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

func full(site string) Place { return Place{Site: site, Peering: sites.Full} }

// at opens a socket at a place.
func (w *world) at(name string, place Place) *Socket {
	s := w.sock(name)
	s.Place = place
	return s
}

// wanted takes the messages of a seeder and returns for how many offers it was asked.
func (w *world) wanted(name string) (n int) {
	sock := w.sock(name)
	keep := w.inbox[sock][:0]
	for _, m := range w.inbox[sock] {
		if n += m.OffersWanted; m.OffersWanted == 0 {
			keep = append(keep, m)
		}
	}
	w.inbox[sock] = keep
	return n
}

// offers empties an inbox and returns from whom it has offers.
func (w *world) offers(name string) (from []int) {
	for _, m := range w.take(name, signaling.KindOffer) {
		from = append(from, number(m.PeerID))
	}
	return from
}

func (w *world) peer(name string, id int) *Peer {
	s := w.core.swarms[hashOne]
	if s == nil {
		return nil
	}
	return s.members[member{w.sock(name), peerID(id)}]
}

func same(a []int, b ...int) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestSitesNeverMeet(t *testing.T) {
	w := newWorld(t, immediate())
	for i := range 20 {
		name := fmt.Sprint("v", i)
		w.at(name, full([]string{"Bern", "Rome"}[i%2]))
		w.announce(name, i, 5)
	}
	met := 0
	for i := range 20 {
		for _, from := range w.offers(fmt.Sprint("v", i)) {
			met++
			if from%2 != i%2 {
				t.Errorf("%d got an offer of %d", i, from)
			}
		}
	}
	if met < 20 {
		t.Errorf("%d offers inside of the sites", met)
	}
	w.check()
}

func TestOnlyGatewaysAreLedOutside(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", Place{Peering: sites.Off})
	w.announce("S", 1000, 0)
	for i := range 10 {
		name := fmt.Sprint("v", i)
		w.at(name, full("Bern"))
		w.announce(name, i, 5)
		if got := w.offers("S"); i < 3 && !same(got, i) || i >= 3 && len(got) > 0 {
			t.Errorf("viewer %d: the seeder has offers of %v", i, got)
		}
	}
	w.at("x", Place{Site: "Rome", Peering: sites.Full, Gateways: 1})
	w.announce("x", 10, 5)
	w.at("y", Place{Site: "Rome", Peering: sites.Full, Gateways: 1})
	w.announce("y", 11, 5)
	if got := w.offers("S"); !same(got, 10) {
		t.Errorf("of a site with one gateway the seeder has offers of %v", got)
	}
	if got := w.wanted("S"); got != 0 {
		t.Errorf("the seeder was asked for %d offers", got)
	}
	w.check()
}

// TestAFirstViewerNeverWaits: also one that makes no offers, and one that comes before the seeder.
func TestAFirstViewerNeverWaits(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	w.at("a", full("Bern"))
	w.announce("a", 1, 0)
	if got := w.wanted("S"); got != 1 {
		t.Fatalf("the seeder was asked for %d offers", got)
	}
	w.announce("S", 1000, 1)
	if got := w.offers("a"); !same(got, 1000) {
		t.Errorf("the viewer has offers of %v", got)
	}
	w = newWorld(t, immediate())
	w.at("a", full("Bern"))
	w.announce("a", 1, 5)
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	if got := w.wanted("S"); got != 1 {
		t.Fatalf("a seeder that came later was asked for %d offers", got)
	}
	w.check()
}

func TestAGatewayIsSucceededAtOnce(t *testing.T) {
	for name, leave := range map[string]func(*world){
		"says goodbye":      func(w *world) { w.stopped("v0", 0) },
		"closes its socket": func(w *world) { w.receive(w.core.Close(w.sock("v0"))) },
		"changes its id":    func(w *world) { w.receive(w.core.Forget(w.sock("v0"), hashOne, peerID(0))) },
		"is somewhere else": func(w *world) { w.receive(w.core.Move(w.sock("v0"), Place{Peering: sites.Off}, w.now)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, immediate())
			w.at("S", full("datacentre"))
			w.announce("S", 1000, 0)
			for i := range 4 {
				name := fmt.Sprint("v", i)
				w.at(name, Place{Site: "Bern", Peering: sites.Full, Gateways: 1})
				w.announce(name, i, 5)
			}
			w.answerAll("S", 1000)
			leave(w)
			next := w.peer("v1", 1) // the eldest
			if !next.isGateway() {
				t.Fatal("the gateway has no successor")
			}
			if w.wanted("S") == 0 {
				t.Fatal("the seeder was not asked for an offer")
			}
			w.offers("v1")
			w.announce("S", 1000, 1)
			if got := w.offers("v1"); !same(got, 1000) {
				t.Errorf("the successor has offers of %v", got)
			}
			w.check()
		})
	}
}

// TestSeedersThatDoNotListenAreAskedRarely, and their viewers announce with offers of their own.
func TestSeedersThatDoNotListenAreAskedRarely(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	w.at("a", full("Bern"))
	w.announce("a", 1, 0)
	for range 60 {
		w.pass(time.Second)
		w.sock("a").heard = w.now
		w.peer("a", 1).deadline, w.peer("S", 1000).deadline = w.now.Add(time.Minute), w.now.Add(time.Minute)
	}
	asked := 0
	for _, m := range w.inbox[w.sock("S")] {
		asked += asInt(m.OffersWanted > 0)
	}
	if asked < 3 || asked > 8 {
		t.Errorf("asked %d times", asked)
	}
	early := 0
	for _, m := range w.take("a", signaling.KindReply) {
		early += asInt(m.Interval == 1)
	}
	if early == 0 || early > 10 {
		t.Errorf("the viewer was asked %d times to announce early", early)
	}
	w.announce("a", 1, 5)
	if got := w.offers("S"); !same(got, 1) {
		t.Errorf("the seeder has offers of %v", got)
	}
}

func TestReceiveOnlyAndOff(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for i := range 5 {
		name := fmt.Sprint("r", i)
		w.at(name, Place{Site: "VPN", Peering: sites.ReceiveOnly, CrossSite: true})
		w.announce(name, i, 5)
		name = fmt.Sprint("o", i)
		w.at(name, Place{Site: "Plant", Peering: sites.Off, CrossSite: true})
		w.announce(name, 10+i, 5)
		name = fmt.Sprint("f", i)
		w.at(name, Place{Site: "Bern", Peering: sites.Full, CrossSite: true})
		w.announce(name, 20+i, 5)
	}
	w.announce("S", 1000, 10)
	if in := w.inbox[w.sock("o0")]; in[0].Interval < 60 {
		t.Errorf("a viewer without peering is to announce after %d s", in[0].Interval)
	}
	for i := range 5 {
		for _, from := range w.offers(fmt.Sprint("r", i)) {
			if from != 1000 {
				t.Errorf("a viewer that only receives has an offer of %d", from)
			}
		}
		if got := w.offers(fmt.Sprint("o", i)); len(got) > 0 {
			t.Errorf("a viewer without peering has offers of %v", got)
		}
		for _, from := range w.offers(fmt.Sprint("f", i)) {
			if from < 20 {
				t.Errorf("a viewer has an offer of %d", from)
			}
		}
		if p := w.peer(fmt.Sprint("r", i), i); p.isGateway() {
			t.Error("a viewer that only receives is a gateway")
		}
	}
	got := w.offers("S")
	receiving := 0
	for _, from := range got {
		receiving += asInt(from < 10)
		if from >= 10 && from < 20 {
			t.Errorf("the seeder has an offer of %d, whose peering is off", from)
		}
	}
	if receiving != 5 {
		t.Errorf("%d viewers that only receive were led to the seeder, which has offers of %v", receiving, got)
	}
	w.check()
}

// TestOneThatOnlyReceivesAmongOthers may take from the others of its site, and is no source.
func TestOneThatOnlyReceivesAmongOthers(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("a", Place{Site: "Bern", Peering: sites.ReceiveOnly})
	w.announce("a", 1, 5)
	w.at("b", full("Bern"))
	w.announce("b", 2, 5)
	if got := w.offers("a"); len(got) > 0 {
		t.Errorf("it has offers of %v", got)
	}
	w.announce("a", 1, 5)
	if got := w.offers("b"); !same(got, 1) {
		t.Errorf("the other one has offers of %v", got)
	}
	w.check()
}

func TestEdgeSeeders(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	edge := full("Bern")
	edge.Edge = true
	w.at("Sedge", edge)
	w.announce("Sedge", 1001, 0)
	for i := range 6 {
		name := fmt.Sprint("v", i)
		w.at(name, full([]string{"Bern", "Rome"}[i%2]))
		w.announce(name, i, 5)
	}
	if got := w.offers("Sedge"); !same(got, 0, 2, 4) {
		t.Errorf("the edge seeder has offers of %v", got)
	}
	if got := w.offers("S"); !same(got, 1, 3, 5) {
		t.Errorf("the seeder elsewhere has offers of %v", got)
	}
	w.check()
	// When it goes, the gateways of its site need the other seeder, and at once.
	w.receive(w.core.Close(w.sock("Sedge")))
	if got := w.wanted("S"); got != 3 {
		t.Errorf("the seeder elsewhere was asked for %d offers", got)
	}
	w.check()
	// Another one says that it serves all.
	edge.CrossSite = true
	w.at("Sall", edge)
	w.announce("Sall", 1002, 0)
	w.receive(w.core.Close(w.sock("S")))
	w.at("x", full("Oslo"))
	w.announce("x", 10, 5)
	if got := w.offers("Sall"); !same(got, 10) {
		t.Errorf("the seeder that serves all has offers of %v", got)
	}
	w.check()
}

// TestAnEdgeSeederThatIsOutOfReach does not keep gateways from the seeders elsewhere.
func TestAnEdgeSeederThatIsOutOfReach(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	edge := full("Bern")
	edge.Edge = true
	w.at("Sedge", edge)
	w.at("v", full("Bern"))
	led := false
	for i := 0; i < 10 && !led; i++ {
		w.announce("S", 1000, 0)
		w.announce("Sedge", 1001, 0)
		w.announce("v", 1, 5)
		w.answerAll("Sedge", 1001) // each time, since there is no connection
		led = len(w.offers("S")) > 0
		w.pass(31 * time.Second)
	}
	if !led {
		t.Error("the gateway was never led to the other seeder")
	}
	w.check()
}

func TestAddressesInNoSite(t *testing.T) {
	for peering, want := range map[sites.Peering]struct {
		meet, seeded bool
	}{sites.Full: {true, true}, sites.ReceiveOnly: {false, true}, sites.Off: {}} {
		w := newWorld(t, immediate())
		w.at("S", full("datacentre"))
		w.announce("S", 1000, 0)
		w.at("site", full("Bern"))
		w.announce("site", 50, 5)
		w.offers("S")
		for i := range 8 {
			name := fmt.Sprint("v", i)
			w.at(name, Place{Peering: peering})
			w.announce(name, i, 5)
		}
		met := 0
		for i := range 8 {
			met += len(w.offers(fmt.Sprint("v", i)))
		}
		if got := len(w.offers("S")); got != 8*asInt(want.seeded) || (met > 0) != want.meet {
			t.Errorf("%s: %d were led to the seeder, %d offers among them", peering, got, met)
		}
		if got := w.offers("site"); len(got) > 0 {
			t.Errorf("%s: a viewer of a site has offers of %v", peering, got)
		}
		w.check()
	}
}

func TestCrossSite(t *testing.T) {
	w := newWorld(t, immediate())
	for i, site := range []string{"Bern", "Rome", "Oslo"} {
		place := full(site)
		place.CrossSite, place.Gateways = site != "Oslo", 1
		for j := range 4 {
			name := fmt.Sprint(site, j)
			w.at(name, place)
			w.announce(name, 10*i+j, 5)
		}
	}
	across := 0
	for i, site := range []string{"Bern", "Rome", "Oslo"} {
		for j := range 4 {
			for _, from := range w.offers(fmt.Sprint(site, j)) {
				if from/10 != i {
					across++
					if from%10 != 0 || j != 0 || from/10 == 2 || i == 2 {
						t.Errorf("%s%d has an offer of %d", site, j, from)
					}
				}
			}
		}
	}
	if across != 1 {
		t.Errorf("%d offers across sites, want that of one gateway to the other", across)
	}
	w.check()
}

func TestOriginsOfPeers(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	w.at("a", full("Bern"))
	w.announce("a", 1, 5)
	w.at("b", full("Bern"))
	w.announce("b", 2, 5)
	w.at("r", Place{Site: "VPN", Peering: sites.ReceiveOnly})
	w.announce("r", 3, 5)
	var got []signaling.Origin
	for _, m := range w.take("S", signaling.KindOffer) {
		if !m.HasOrigin {
			t.Fatal("an offer without origin")
		}
		got = append(got, m.Origin)
		w.answer("S", 1000, m)
	}
	want := []signaling.Origin{{Site: "Bern", Gateway: true}, {Site: "Bern", Gateway: true}, {Site: "VPN", ReceiveOnly: true}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the seeder was told %+v", got)
	}
	for _, m := range w.inbox[w.sock("a")] {
		near := m.Kind == signaling.KindOffer
		if m.Kind == signaling.KindReply {
			continue
		}
		if !m.HasOrigin || m.Origin != (signaling.Origin{Near: near}) {
			t.Errorf("a viewer was told %+v with kind %v", m.Origin, m.Kind)
		}
	}
}

func TestMoves(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for _, v := range []struct {
		name, site string
		id         int
	}{{"a", "Bern", 1}, {"b", "Bern", 2}, {"c", "Rome", 3}} {
		w.at(v.name, full(v.site))
		w.announce(v.name, v.id, 5)
	}
	w.answerAll("S", 1000)
	offer := w.take("a", signaling.KindOffer)[0] // of b
	w.receive(w.core.Move(w.sock("b"), full("Rome"), w.now))
	w.check()
	w.answer("a", 1, offer)
	if got := w.take("b", signaling.KindAnswer); len(got) != 1 { // the seeder's, which serves both sites
		t.Errorf("%d answers", len(got))
	}
	w.announce("b", 2, 5)
	if got := w.offers("c"); !same(got, 2) {
		t.Errorf("the new neighbour has offers of %v", got)
	}
	// A seeder may move as well, and then the sites have one inside, or none.
	edge := full("Rome")
	edge.Edge = true
	w.receive(w.core.Move(w.sock("S"), edge, w.now))
	w.check()
	w.receive(w.core.Move(w.sock("S"), full("Bern"), w.now))
	w.check()
	// Without sites all are where they were without them.
	for _, name := range []string{"S", "a", "b", "c"} {
		w.receive(w.core.Move(w.sock(name), Place{}, w.now))
		w.check()
	}
	if s := w.core.swarms[hashOne]; len(s.siteList) != 0 || s.viewers.n != 3 || s.seeders.n != 1 {
		t.Error("places are left")
	}
}

func TestCells(t *testing.T) {
	cfg := immediate()
	cfg.CellSize = 10
	w := newWorld(t, cfg)
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for i := range 25 {
		name := fmt.Sprint("v", i)
		w.at(name, full("Bern"))
		w.announce(name, i, 5)
		w.check()
	}
	where := w.core.swarms[hashOne].sites["Bern"]
	if len(where.cells) != 3 {
		t.Fatalf("%d cells", len(where.cells))
	}
	if got := len(w.offers("S")); got != 9 {
		t.Errorf("%d viewers were led to the seeder, want three of each cell", got)
	}
	for i := range 25 {
		p := w.peer(fmt.Sprint("v", i), i)
		for j := range p.relations {
			if q := p.relations[j].peer; !q.Seeder() && q.cell != p.cell {
				t.Fatal("an offer between cells")
			}
		}
	}
	// A newcomer goes to the emptiest cell.
	for i := 10; i < 14; i++ {
		w.receive(w.core.Close(w.sock(fmt.Sprint("v", i))))
	}
	least := min(where.cells[0].size, where.cells[1].size, where.cells[2].size)
	w.at("new", full("Bern"))
	w.announce("new", 100, 5)
	if got := w.peer("new", 100).cell.size; got != least+1 {
		t.Errorf("a newcomer is in a cell of %d, the emptiest had %d", got, least)
	}
	// Cells that together fill half of one become one.
	for i := range 25 {
		if i%4 != 0 {
			w.receive(w.core.Close(w.sock(fmt.Sprint("v", i))))
		}
	}
	for range 30 {
		for i := range 25 {
			if i%4 == 0 && i != 12 { // that one has left
				w.announce(fmt.Sprint("v", i), i, 5)
			}
		}
		w.announce("new", 100, 5)
		w.announce("S", 1000, 0)
		w.pass(10 * time.Second)
		w.check()
	}
	if len(where.cells) > 2 || w.core.Stats.CellsMerged.Load() == 0 {
		t.Errorf("%d cells for %d viewers, %d merged", len(where.cells), len(w.core.swarms[hashOne].members)-1, w.core.Stats.CellsMerged.Load())
	}
}

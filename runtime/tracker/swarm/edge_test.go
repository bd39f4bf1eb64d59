package swarm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

func edge(site string) Place { return Place{Site: site, Peering: sites.Full, Edge: true} }

// seek announces an edge seeder with offers for other seeders.
func (w *world) seek(name string, id, offers int) {
	w.t.Helper()
	m := w.announceMessage(id, offers)
	m.ToSeeders = true
	w.handle(w.sock(name), m)
}

func TestAnEdgeSeederIsLedToSeeders(t *testing.T) {
	w := newWorld(t, immediate())
	for i := range 3 {
		w.at(fmt.Sprint("S", i), Place{Peering: sites.Full})
		w.announce(fmt.Sprint("S", i), 1000+i, 0)
	}
	w.at("S-other", edge("Rome"))
	w.announce("S-other", 1100, 0)
	w.at("S-mate", edge("Bern"))
	w.announce("S-mate", 1101, 0)
	w.at("v", full("Bern"))
	w.announce("v", 1, 0)
	w.offers("v")
	w.at("S-edge", edge("Bern"))
	w.seek("S-edge", 1102, 5)
	central := 0
	for i := range 3 {
		name := fmt.Sprint("S", i)
		for _, o := range w.take(name, signaling.KindOffer) {
			if o.Origin.Near || o.Origin.Site != "Bern" || number(o.PeerID) != 1102 {
				t.Errorf("a central seeder has an offer of %d with %+v", number(o.PeerID), o.Origin)
			}
			w.answer(name, 1000+i, o)
			central++
		}
	}
	if central != immediate().Seeders {
		t.Errorf("%d central seeders have an offer, want %d", central, immediate().Seeders)
	}
	mate := w.take("S-mate", signaling.KindOffer)
	if len(mate) != 1 || !mate[0].Origin.Near {
		t.Errorf("the seeder of the site has %d offers", len(mate))
	}
	if got := w.offers("S-other"); len(got) > 0 {
		t.Errorf("the edge seeder of another site has offers of %v", got)
	}
	if got := w.offers("v"); len(got) > 0 {
		t.Errorf("a viewer has offers of %v that are for seeders", got)
	}
	if answers := w.take("S-edge", signaling.KindAnswer); len(answers) != central || answers[0].Origin.Near {
		t.Errorf("the edge seeder has %d answers", len(answers))
	}
	if p := w.peer("S-edge", 1102); p.seeders != 2 || p.insiders != 1 {
		t.Errorf("it counts %d and %d seeders", p.seeders, p.insiders)
	}
	w.check()

	// It has as many as it needs now.
	w.seek("S-edge", 1102, 5)
	for i := range 3 {
		if got := w.offers(fmt.Sprint("S", i)); len(got) > 0 {
			t.Errorf("central seeder %d has offers of %v", i, got)
		}
	}
	w.check()
}

// TestOffersForViewersGoToNoSeeder: a seeder makes them from the port that it shares.
func TestOffersForViewersGoToNoSeeder(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", Place{Peering: sites.Full})
	w.announce("S", 1000, 0)
	w.at("S-edge", edge("Bern"))
	w.announce("S-edge", 1001, 5)
	if got := w.offers("S"); len(got) > 0 {
		t.Errorf("a seeder has offers of %v", got)
	}
	w.check()
}

// TestCentralSeedersMeet with sites and without: they share what the origin gives. Edge seeders are not among them.
func TestCentralSeedersMeet(t *testing.T) {
	for name, place := range map[string]Place{"without sites": {}, "with sites": {Peering: sites.Full}, "in a site": full("Bern")} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, immediate())
			if place != (Place{}) {
				w.at("S-edge", edge("Bern"))
				w.announce("S-edge", 1100, 0)
				w.at("S-crossing", Place{Site: "Rome", Peering: sites.Full, Edge: true, CrossSite: true})
				w.announce("S-crossing", 1101, 0)
			}
			w.at("S0", place)
			w.announce("S0", 1000, 0)
			w.announce("S0", 1000, 0)
			w.at("v", place)
			w.announce("v", 1, 0)
			w.inbox[w.sock("v")] = nil
			w.at("S1", place)
			w.seek("S1", 1001, 5)
			offers := w.take("S0", signaling.KindOffer)
			if len(offers) != 1 || !offers[0].Origin.Shares || number(offers[0].PeerID) != 1001 {
				t.Fatalf("the other seeder has the offers %+v", offers)
			}
			w.answer("S0", 1000, offers[0])
			if answers := w.take("S1", signaling.KindAnswer); len(answers) != 1 || !answers[0].Origin.Shares {
				t.Errorf("the seeder has the answers %+v", answers)
			}
			for _, other := range []string{"S-edge", "S-crossing", "v"} {
				if got := w.offers(other); len(got) > 0 {
					t.Errorf("%s has offers of %v", other, got)
				}
			}
			w.check()
			// It has met all there are.
			w.seek("S1", 1001, 5)
			if got := w.offers("S0"); len(got) > 0 {
				t.Errorf("the other seeder has more offers, of %v", got)
			}
			w.check()
		})
	}
}

// TestEdgeSeedersShareWithTheirSite, and not with the seeders outside that they fill from.
func TestEdgeSeedersShareWithTheirSite(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", Place{Peering: sites.Full})
	w.announce("S", 1000, 0)
	w.at("S-mate", edge("Bern"))
	w.announce("S-mate", 1001, 0)
	w.at("S-edge", edge("Bern"))
	w.seek("S-edge", 1002, 5)
	for name, want := range map[string]bool{"S": false, "S-mate": true} {
		if offers := w.take(name, signaling.KindOffer); len(offers) != 1 || offers[0].Origin.Shares != want {
			t.Errorf("%s has the offers %+v", name, offers)
		}
	}
	w.check()
}

// TestAnEdgeSeederServesItsSite: its viewers are led to it alone, and to others outside when it is full or gone.
func TestAnEdgeSeederServesItsSite(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", Place{Peering: sites.Full})
	w.announce("S", 1000, 0)
	w.at("S-edge", edge("Bern"))
	w.announce("S-edge", 1001, 0)
	w.at("b", full("Bern"))
	w.announce("b", 1, 5)
	w.at("r", full("Rome"))
	w.announce("r", 2, 5)
	if got := w.offers("S-edge"); !same(got, 1) {
		t.Errorf("the edge seeder has offers of %v", got)
	}
	if got := w.offers("S"); !same(got, 2) {
		t.Errorf("the central seeder has offers of %v", got)
	}
	w.receive(w.core.Close(w.sock("S-edge")))
	w.announce("b", 1, 5)
	if got := w.offers("S"); !same(got, 1) {
		t.Errorf("without the edge seeder, the central one has offers of %v", got)
	}
	w.check()
}

func TestAnEdgeSeederHearsOfNewSeeders(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S-edge", edge("Bern"))
	w.announce("S-edge", 1001, 0)
	w.inbox[w.sock("S-edge")] = nil
	w.at("S", Place{Peering: sites.Full})
	w.announce("S", 1000, 0)
	replies := w.take("S-edge", signaling.KindReply)
	if len(replies) != 1 || replies[0].Interval != 1 {
		t.Fatalf("it has the replies %+v", replies)
	}
	w.seek("S-edge", 1001, 4)
	if replies = w.take("S-edge", signaling.KindReply); len(replies) != 1 || replies[0].Interval > 20 {
		t.Errorf("it has the replies %+v", replies)
	}
	if w.answerAll("S", 1000) != 1 {
		t.Error("the new seeder has no offer")
	}
	w.check()
}

// TestEdgeSeedersUnderChurn checks the invariants while seeders and viewers come, go and move.
func TestEdgeSeedersUnderChurn(t *testing.T) {
	w := newWorld(t, immediate())
	rnd := rand.New(rand.NewPCG(7, 8))
	names := []string{"Bern", "Rome", ""}
	place := func(seeder bool) Place {
		p := Place{Site: names[rnd.IntN(3)], Peering: sites.Full, CrossSite: rnd.IntN(4) == 0}
		p.Edge = seeder && p.Site != "" && rnd.IntN(3) > 0
		return p
	}
	ids := map[string]int{}
	for step := range 3000 {
		i := rnd.IntN(24)
		seeder := i < 8
		name := fmt.Sprint("v", i)
		if seeder {
			name = fmt.Sprint("S", i)
		}
		_, there := ids[name]
		switch {
		case !there:
			delete(w.socks, name)
			w.at(name, place(seeder))
			ids[name] = i
			fallthrough
		case rnd.IntN(8) > 2:
			m := w.announceMessage(i, rnd.IntN(6))
			m.ToSeeders = seeder && rnd.IntN(2) == 0
			for range rnd.IntN(3) {
				m.Lost = append(m.Lost, peerID(rnd.IntN(40)))
			}
			w.handle(w.sock(name), m)
		case rnd.IntN(2) == 0:
			w.receive(w.core.Move(w.sock(name), place(seeder), w.now))
		default:
			w.receive(w.core.Close(w.sock(name)))
			delete(ids, name)
		}
		for other, id := range ids {
			if rnd.IntN(2) == 0 {
				w.answerAll(other, id)
			}
		}
		if step%20 == 0 {
			w.pass(2 * time.Second)
		}
		w.check()
	}
}

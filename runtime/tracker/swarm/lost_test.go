package swarm

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// lose announces that a seeder lost the connection with viewers.
func (w *world) lose(name string, id int, viewers ...int) {
	w.t.Helper()
	m := w.announceMessage(id, 0)
	for _, v := range viewers {
		m.Lost = append(m.Lost, peerID(v))
	}
	w.handle(w.sock(name), m)
}

// served is a viewer that is connected with a seeder.
func served(t *testing.T) *world {
	w := newWorld(t, immediate())
	w.announce("S", 1000, 0)
	w.announce("A", 1, 5)
	if w.answerAll("S", 1000) != 1 {
		t.Fatal("the seeder has no offer")
	}
	w.take("S", signaling.KindReply)
	w.pass(5 * time.Second)
	return w
}

func wanted(w *world, name string) (offers int) {
	for _, m := range w.inbox[w.sock(name)] {
		offers += m.OffersWanted
	}
	w.inbox[w.sock(name)] = nil
	return offers
}

func TestALostViewerIsIntroducedAgain(t *testing.T) {
	w := served(t)
	w.lose("S", 1000, 1)
	if got := wanted(w, "S"); got != 1 {
		t.Fatalf("the seeder was asked for %d offers, want 1", got)
	}
	w.announce("S", 1000, 1)
	if got := w.take("A", signaling.KindOffer); len(got) != 1 || got[0].PeerID != peerID(1000) {
		t.Fatalf("the viewer got %+v", got)
	}
	if got := w.core.Stats.LostLinks.Load(); got != 1 {
		t.Errorf("%d lost links are counted", got)
	}
	w.check()
}

func TestLossesThatChangeNothing(t *testing.T) {
	for name, act := range map[string]func(*world){
		"of a viewer that has left":    func(w *world) { w.core.Close(w.sock("A")); w.lose("S", 1000, 1) },
		"of a viewer never met":        func(w *world) { w.announce("B", 2, 0); wanted(w, "S"); w.lose("S", 1000, 2) },
		"of an unknown viewer":         func(w *world) { w.lose("S", 1000, 99) },
		"of itself":                    func(w *world) { w.lose("S", 1000, 1000) },
		"told by a viewer":             func(w *world) { w.lose("A", 1, 1000) },
		"told by a viewer of a seeder": func(w *world) { w.lose("B", 2, 1) },
		"while another offer is on its way": func(w *world) {
			w.pass(time.Minute)
			w.announce("A", 1, 5)
			w.lose("S", 1000, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := served(t)
			act(w)
			if got := w.core.Stats.LostLinks.Load(); got != 0 || wanted(w, "S") != 0 {
				t.Errorf("%d lost links", got)
			}
			w.check()
		})
	}
}

// TestALostViewerWithAnotherSeeder is left alone: it lacks nothing.
func TestALostViewerWithAnotherSeeder(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("S", 1000, 0)
	w.announce("S2", 1001, 0)
	w.announce("A", 1, 5)
	if w.answerAll("S", 1000)+w.answerAll("S2", 1001) != 2 {
		t.Fatal("the viewer was not led to both seeders")
	}
	w.lose("S", 1000, 1)
	if got := wanted(w, "S"); got != 0 {
		t.Errorf("the seeder was asked for %d offers", got)
	}
	w.check()
}

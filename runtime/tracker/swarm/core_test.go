package swarm

import (
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func TestTwoViewersMeet(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("A", 1, 5)
	reply := w.take("A", signaling.KindReply)
	if len(reply) != 1 || reply[0].Interval > 10 || reply[0].Incomplete != 1 {
		t.Fatalf("first reply: %+v", reply)
	}
	w.announce("B", 2, 5)
	offers := w.take("A", signaling.KindOffer)
	if len(offers) != 1 || offers[0].PeerID != peerID(2) {
		t.Fatalf("A got %+v", offers)
	}
	if got := w.take("B", signaling.KindOffer); len(got) != 0 {
		t.Fatal("B got its own offer")
	}
	w.answer("A", 1, offers[0])
	if got := w.take("B", signaling.KindAnswer); len(got) != 1 || got[0].PeerID != peerID(1) {
		t.Fatalf("B got %+v", got)
	}
	w.check()
}

func TestAnswersOnlyToRelayedOffers(t *testing.T) {
	setup := func(t *testing.T) (*world, signaling.TrackerMessage) {
		w := newWorld(t, immediate())
		w.announce("A", 1, 0)
		w.announce("B", 2, 1)
		w.announce("C", 3, 0)
		w.take("B", signaling.KindReply)
		return w, w.take("A", signaling.KindOffer)[0]
	}
	for name, act := range map[string]func(*world, signaling.TrackerMessage){
		"by a third peer":          func(w *world, o signaling.TrackerMessage) { w.answer("C", 3, o) },
		"in another's name":        func(w *world, o signaling.TrackerMessage) { w.answer("C", 1, o) },
		"by a stranger":            func(w *world, o signaling.TrackerMessage) { w.answer("D", 4, o) },
		"with another offer id":    func(w *world, o signaling.TrackerMessage) { o.OfferID = signaling.Raw(`"x"`); w.answer("A", 1, o) },
		"to a third peer":          func(w *world, o signaling.TrackerMessage) { o.PeerID = peerID(3); w.answer("A", 1, o) },
		"to a departed peer":       func(w *world, o signaling.TrackerMessage) { o.PeerID = peerID(9); w.answer("A", 1, o) },
		"too late":                 func(w *world, o signaling.TrackerMessage) { w.pass(62 * time.Second); w.answer("A", 1, o) },
		"to one's own offer":       func(w *world, o signaling.TrackerMessage) { o.PeerID = peerID(2); w.answer("B", 2, o) },
		"to a peer that left":      func(w *world, o signaling.TrackerMessage) { w.core.Close(w.sock("B")); w.answer("A", 1, o) },
		"after one's own goodbye":  func(w *world, o signaling.TrackerMessage) { w.core.Close(w.sock("A")); w.answer("A", 1, o) },
		"in a swarm without peers": func(w *world, o signaling.TrackerMessage) { o.InfoHash[0]++; w.answer("A", 1, o) },
	} {
		t.Run(name, func(t *testing.T) {
			w, offer := setup(t)
			act(w, offer)
			for sock, got := range w.inbox {
				for _, m := range got {
					if m.Kind == signaling.KindAnswer || m.Kind == signaling.KindFailure {
						t.Fatalf("%v got %+v", sock.Ref, m)
					}
				}
			}
			s := &w.core.Stats
			if s.AnswersRelayed.Load() != 0 {
				t.Fatal("answer counted as relayed")
			}
			w.check()
		})
	}
	t.Run("twice", func(t *testing.T) {
		w, offer := setup(t)
		w.answer("A", 1, offer)
		w.answer("A", 1, offer)
		if got := w.take("B", signaling.KindAnswer); len(got) != 1 || w.core.Stats.AnswersUnknown.Load() != 1 {
			t.Fatalf("B got %d answers", len(got))
		}
	})
	t.Run("spelled otherwise", func(t *testing.T) {
		w, offer := setup(t)
		offer.OfferID = signaling.Raw(strings.Replace(string(offer.OfferID), "0", `\u0030`, 3))
		w.answer("A", 1, offer)
		if got := w.take("B", signaling.KindAnswer); len(got) != 1 {
			t.Fatal("answer was dropped")
		}
	})
}

func TestGhostsExpire(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("A", 1, 5)
	w.announce("A", 2, 0)
	if w.core.swarms[hashOne] == nil {
		t.Fatal("no swarm")
	}
	interval := time.Duration(w.take("A", signaling.KindReply)[0].Interval) * time.Second
	w.pass(2*interval + immediate().Slack - 2*time.Second)
	if n := len(w.core.swarms[hashOne].members); n != 2 {
		t.Fatalf("%d members before their time", n)
	}
	w.pass(3 * time.Minute)
	if len(w.core.swarms) != 0 || w.core.Stats.Expiries.Load() != 2 {
		t.Fatal("ghosts are still there")
	}
	// Announcing keeps alive.
	for range 50 {
		w.announce("B", 3, 0)
		w.pass(20 * time.Second)
	}
	if len(w.core.swarms) != 1 {
		t.Fatal("a living peer expired")
	}
}

func TestCloseRemovesAllIDs(t *testing.T) {
	w := newWorld(t, immediate())
	for i := range 10 {
		w.announce("A", i, 1)
	}
	other := w.announceMessage(1, 1)
	other.InfoHash[0]++
	w.handle(w.sock("A"), other)
	w.announce("B", 100, 5)
	w.core.Close(w.sock("A"))
	w.check()
	if len(w.core.swarms) != 1 || len(w.core.swarms[hashOne].members) != 1 {
		t.Fatal("ids of a closed socket are left")
	}
	w.announce("A", 1, 5)
	if len(w.core.swarms[hashOne].members) != 1 {
		t.Fatal("a closed socket announced")
	}
}

func TestIDsCannotBeTaken(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("A", 1, 0)
	w.announce("Mallory", 1, 5)
	if got := w.take("A", signaling.KindOffer); len(got) != 0 {
		t.Fatal("peers with one id were introduced to each other")
	}
	if w.probe[w.sock("A")] != 1 || w.core.Stats.SharedIDs.Load() != 1 {
		t.Fatalf("%d probes, %d shared ids", w.probe[w.sock("A")], w.core.Stats.SharedIDs.Load())
	}
	w.announce("Mallory", 1, 5)
	if w.probe[w.sock("A")] != 1 {
		t.Fatal("every announce probes")
	}
	// Both get offers, and each answers those that it got.
	w.announce("B", 2, 5)
	toA, toMallory := w.take("A", signaling.KindOffer), w.take("Mallory", signaling.KindOffer)
	if len(toA) != 1 || len(toMallory) != 1 {
		t.Fatalf("%d offers for one, %d for the other", len(toA), len(toMallory))
	}
	w.answer("Mallory", 1, toA[0])
	if got := w.take("B", signaling.KindAnswer); len(got) != 0 {
		t.Fatal("another socket answered the offer")
	}
	w.answer("A", 1, toA[0])
	if got := w.take("B", signaling.KindAnswer); len(got) != 1 || string(got[0].OfferID) != string(toA[0].OfferID) {
		t.Fatalf("B got %+v", got)
	}
	// A stop of one leaves the other.
	w.stopped("Mallory", 1)
	if w.core.swarms[hashOne].members[member{w.sock("A"), peerID(1)}] == nil {
		t.Fatal("a stop from another socket removed the peer")
	}
	w.check()
}

func TestAnswersFindTheOfferOfASharedID(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("C", 3, 0)
	w.announce("A", 1, 1)
	w.announce("Mallory", 1, 1)
	offers := w.take("C", signaling.KindOffer)
	if len(offers) != 2 {
		t.Fatalf("%d offers", len(offers))
	}
	for i, name := range []string{"A", "Mallory"} {
		w.answer("C", 3, offers[i])
		if got := w.take(name, signaling.KindAnswer); len(got) != 1 {
			t.Errorf("%s got %d answers to its offer", name, len(got))
		}
	}
	w.check()
}

func TestAViewerReturnsAtOnce(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("old", 1, 5)
	w.announce("B", 2, 5)
	w.answerAll("old", 1)
	// The network failed: the old socket is not closed yet.
	w.announce("new", 1, 5)
	offers := w.take("B", signaling.KindOffer)
	if len(offers) != 1 || w.probe[w.sock("old")] != 1 {
		t.Fatalf("%d offers, %d probes", len(offers), w.probe[w.sock("old")])
	}
	w.answer("B", 2, offers[0])
	if got := w.take("new", signaling.KindAnswer); len(got) != 1 {
		t.Fatal("the viewer got no answer on its new socket")
	}
	w.core.Close(w.sock("old"))
	w.check()
	w.announce("C", 3, 5)
	if len(w.take("new", signaling.KindOffer)) != 1 {
		t.Fatal("the viewer got no offer on its new socket")
	}
}

func TestThePrefixOfSeedersIsReserved(t *testing.T) {
	cfg := immediate()
	cfg.SeederPrefix = "-PM0203-"
	w := newWorld(t, cfg)
	w.announce("A", 1, 5)
	if got := w.take("A", signaling.KindFailure); len(got) != 1 || !strings.Contains(got[0].Failure, cfg.SeederPrefix) {
		t.Fatalf("got %+v", got)
	}
	if len(w.core.swarms) != 0 || w.core.Stats.Reserved.Load() != 1 {
		t.Fatal("a viewer joined with the id of a seeder")
	}
	w.announce("S", 1, 0)
	if got := w.take("S", signaling.KindReply); len(got) != 1 {
		t.Fatal("a seeder was refused")
	}
}

func TestSeederMovesAtOnce(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("S1", 1, 0)
	w.announce("S2", 1, 0)
	w.announce("A", 2, 3)
	if len(w.take("S2", signaling.KindOffer)) != 1 || len(w.take("S1", signaling.KindOffer)) != 0 {
		t.Fatal("seeder did not move")
	}
	w.core.Close(w.sock("S1"))
	if len(w.core.swarms[hashOne].members) != 2 {
		t.Fatal("closing the old socket removed the moved seeder")
	}
	w.check()
}

func TestCounts(t *testing.T) {
	w := newWorld(t, immediate())
	say := func(name string, id int, event signaling.Event, complete bool) signaling.TrackerMessage {
		m := w.announceMessage(id, 0)
		m.Event, m.Complete = event, complete
		w.handle(w.sock(name), m)
		return w.take(name, signaling.KindReply)[0]
	}
	for i, c := range []struct {
		name                 string
		event                signaling.Event
		complete             bool
		wantComplete, wantIn int
	}{
		{"A", signaling.EventStarted, false, 0, 1},
		{"B", signaling.EventStarted, true, 1, 1},
		{"A", signaling.EventPaused, false, 1, 1},
		{"A", signaling.EventCompleted, false, 2, 0},
		{"A", signaling.EventCompleted, false, 2, 0},
		{"S", signaling.EventNone, false, 3, 0},
		{"A", signaling.EventStopped, false, 2, 0},
		{"A", signaling.EventStopped, false, 2, 0},
	} {
		got := say(c.name, int(c.name[0]), c.event, c.complete)
		if got.Complete != c.wantComplete || got.Incomplete != c.wantIn {
			t.Fatalf("step %d: %d complete, %d incomplete", i, got.Complete, got.Incomplete)
		}
	}
	if n := w.core.swarms[hashOne].counts.Downloaded.Load(); n != 1 {
		t.Fatalf("downloaded %d", n)
	}
}

type fewSwarms struct{ left int }

func (f *fewSwarms) Add(signaling.ID, *Counts, bool) bool { f.left--; return f.left >= 0 }
func (f *fewSwarms) Remove(signaling.ID)                  { f.left++ }

func TestLimits(t *testing.T) {
	cfg := immediate()
	cfg.PeersPerSwarm = 2
	w := newWorld(t, cfg)
	w.core.registry = &fewSwarms{left: 1}
	w.announce("A", 1, 0)
	w.announce("B", 2, 0)
	w.announce("C", 3, 0)
	if got := w.take("C", signaling.KindFailure); len(got) != 1 || got[0].Action != signaling.ActionAnnounce {
		t.Fatalf("C got %+v", got)
	}
	w.announce("S", 4, 0)
	if got := w.take("S", signaling.KindReply); len(got) != 1 {
		t.Fatal("a seeder was refused")
	}
	other := w.announceMessage(1, 0)
	other.InfoHash[0]++
	w.handle(w.sock("A"), other)
	if got := w.take("A", signaling.KindFailure); len(got) != 1 || len(w.core.swarms) != 1 {
		t.Fatalf("A got %+v", got)
	}
	if w.core.Stats.SwarmFull.Load() != 1 || w.core.Stats.SwarmsFull.Load() != 1 {
		t.Fatal("limits were not counted")
	}
}

func TestIntervalAdapts(t *testing.T) {
	cfg := immediate()
	w := newWorld(t, cfg)
	w.announce("A", 0, 5)
	for range quickRetries {
		w.announce("A", 0, 5)
	}
	alone := w.take("A", signaling.KindReply)
	if first, last := alone[0].Interval, alone[len(alone)-1].Interval; first > 10 || last <= first {
		t.Fatalf("alone: %d first, %d last", first, last)
	}
	for i := range 30 {
		m := w.announceMessage(100+i, 1)
		m.NumWant = 0
		w.handle(w.sock("V"), m)
	}
	w.take("V", signaling.KindReply)
	w.announce("A", 0, 5)
	lacking := w.take("A", signaling.KindReply)[0].Interval
	for range 4 {
		w.announce("A", 0, 10)
		for _, o := range w.take("V", signaling.KindOffer) {
			for _, p := range w.core.swarms[hashOne].members {
				if p.relation(w.core.swarms[hashOne].latest[peerID(0)]) != nil {
					w.handle(w.sock("V"), signaling.ClientMessage{Action: signaling.ActionAnswer, InfoHash: hashOne, PeerID: p.id,
						ToPeerID: peerID(0), SDP: o.SDP, OfferID: o.OfferID})
				}
			}
		}
	}
	w.take("A", signaling.KindReply)
	w.announce("A", 0, 5)
	full := w.take("A", signaling.KindReply)[0].Interval
	if lacking < 10 || lacking > 20 || full < 60 || full > int(cfg.MaxInterval/time.Second) {
		t.Fatalf("lacking peers: %d s; with peers: %d s", lacking, full)
	}
	w.check()
}

func TestIdleSeedersAnnounceRarely(t *testing.T) {
	w := newWorld(t, immediate())
	for range quickRetries + 1 {
		w.announce("S1", 1, 2)
		w.announce("S2", 2, 2)
	}
	if replies := w.take("S2", signaling.KindReply); replies[quickRetries].Interval <= replies[0].Interval {
		t.Fatalf("intervals of a seeder without viewers: %+v", replies)
	}
}

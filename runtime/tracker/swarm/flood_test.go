package swarm

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// stopped is a goodbye.
func (w *world) stopped(name string, id int) {
	w.t.Helper()
	w.handle(w.sock(name), signaling.ClientMessage{Action: signaling.ActionAnnounce, InfoHash: hashOne, PeerID: peerID(id),
		NumWant: -1, Event: signaling.EventStopped})
}

// TestOneViewerIsGivenFewOffers has a client leave and return under new ids: it must not send offers to all peers each time.
func TestOneViewerIsGivenFewOffers(t *testing.T) {
	cfg := immediate()
	w := newWorld(t, cfg)
	w.announce("victim", 1, 0)
	churn := func(n int) int {
		for i := range n {
			w.announce("attacker", 1000+i, 10)
			w.stopped("attacker", 1000+i)
		}
		return len(w.take("victim", signaling.KindOffer))
	}
	if got := churn(500); got != cfg.crowded() {
		t.Errorf("%d offers at once, want %d", got, cfg.crowded())
	}
	if held := w.core.Stats.OffersHeldBack.Load(); held < uint64(500-cfg.crowded()) {
		t.Errorf("%d counted as held back", held)
	}
	w.now = w.now.Add(3 * time.Second)
	if got := churn(500); got != 3*cfg.OffersPerSecond {
		t.Errorf("%d offers after 3 s, want %d", got, 3*cfg.OffersPerSecond)
	}
	// Setting the clock back allows no further offers.
	w.now = w.now.Add(-time.Hour)
	if got := churn(50); got != 0 {
		t.Errorf("%d offers after the clock was set back", got)
	}
}

// TestSeedersAreGivenMore: hundreds of viewers come at once, each with an offer for the seeder.
func TestSeedersAreGivenMore(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("S", 1, 0)
	w.core.SetLoad(w.sock("S"), 0, 100)
	for i := range 1000 {
		w.announce("attacker", 1000+i, 10)
		w.stopped("attacker", 1000+i)
	}
	if got := len(w.take("S", signaling.KindOffer)); got != 200 {
		t.Errorf("a seeder for 100 was given %d offers at once, want 200", got)
	}
}

// TestOffersWaitingForAnswersAreBounded counts what is remembered of offers.
func TestOffersWaitingForAnswersAreBounded(t *testing.T) {
	cfg := immediate()
	cfg.PendingOffers = 7
	w := newWorld(t, cfg)
	for i := range 5 {
		w.announce(string(rune('a'+i)), i, 0)
	}
	w.announce("x", 100, 4)
	w.announce("y", 101, 5)
	w.announce("z", 102, 5)
	st := &w.core.Stats
	if st.OffersRelayed.Load() != 7 || st.Pending.Load() != 7 || st.OffersAbovePending.Load() != 7 {
		t.Errorf("%d relayed, %d pending, %d above", st.OffersRelayed.Load(), st.Pending.Load(), st.OffersAbovePending.Load())
	}
	w.now = w.now.Add(cfg.OfferTTL + time.Second)
	w.core.Tick(w.now)
	if st.Pending.Load() != 0 {
		t.Errorf("%d pending when none can be answered", st.Pending.Load())
	}
}

// TestNothingIsKeptOfTheDeparted has clients join and leave all the time: no memory of them remains.
func TestNothingIsKeptOfTheDeparted(t *testing.T) {
	w := newWorld(t, immediate())
	waiting := func() (n int) {
		for _, slot := range w.core.wheel.slot {
			n += len(slot)
		}
		return n
	}
	for i := range 100 {
		w.announce("stays", i, 0)
	}
	for i := range 1000 {
		w.now = w.now.Add(10 * time.Millisecond)
		w.announce("goes", 1000+i, 0)
		w.stopped("goes", 1000+i)
	}
	if n := waiting(); n != 100 {
		t.Errorf("%d peers wait for their end, of 100", n)
	}
	// Silent members still expire, each once.
	for range 600 {
		w.now = w.now.Add(time.Second)
		w.core.Tick(w.now)
	}
	if n, expired := waiting(), w.core.Stats.Expiries.Load(); n != 0 || expired != 100 || len(w.core.swarms) != 0 {
		t.Errorf("%d wait, %d expired, %d swarms", n, expired, len(w.core.swarms))
	}
}

// TestSeedersMakeSwarmsWhenThereAreTooMany asks the registry as the core does.
func TestSeedersMakeSwarmsWhenThereAreTooMany(t *testing.T) {
	w := newWorld(t, immediate())
	asked := &whoAsks{}
	w.core.registry = asked
	w.announce("a", 1, 0)
	w.stopped("a", 1)
	w.announce("S", 2, 0)
	if len(asked.seeder) != 2 || asked.seeder[0] || !asked.seeder[1] {
		t.Errorf("asked for a seeder: %v", asked.seeder)
	}
}

type whoAsks struct{ seeder []bool }

func (w *whoAsks) Add(_ signaling.ID, _ *Counts, seeder bool) bool {
	w.seeder = append(w.seeder, seeder)
	return true
}
func (w *whoAsks) Remove(signaling.ID) {}

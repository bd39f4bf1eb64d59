package swarm

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/sites"
)

// office is a seeder elsewhere and n viewers of one site with one gateway, who were told to answer.
func office(t *testing.T, n, gateways int) *world {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for i := range n {
		name := fmt.Sprint("v", i)
		w.at(name, Place{Site: "Bern", Peering: sites.Full, Gateways: gateways})
		w.announce(name, i, 5)
		w.now = w.now.Add(time.Second)
	}
	w.answerAll("S", 1000)
	return w
}

// live lets the time pass, while all but some announce every ten seconds, and obey.
func (w *world) live(d time.Duration, n int, quiet ...int) {
	for s := range int(d / time.Second) {
		w.pass(time.Second)
		for i := range n {
			silent := false
			for _, q := range quiet {
				silent = silent || q == i
			}
			if !silent && s%10 == 0 {
				w.announce(fmt.Sprint("v", i), i, 5)
			}
		}
		if s%10 == 0 {
			w.announce("S", 1000, w.wanted("S"))
		}
		w.answerAll("S", 1000)
	}
	w.check()
}

func (w *world) gateways(n int) (ids []int) {
	for i := range n {
		if p := w.peer(fmt.Sprint("v", i), i); p != nil && p.isGateway() {
			ids = append(ids, i)
		}
	}
	return ids
}

// TestANewCellHasOneGateway until its viewers have what they start with; but all of them soon if the first one has no seeder.
func TestANewCellHasOneGateway(t *testing.T) {
	w := newWorld(t, Defaults())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	join := func(i int) {
		name := fmt.Sprint("v", i)
		w.at(name, full("Bern"))
		w.announce(name, i, 5)
		w.answerAll("S", 1000)
	}
	for i := range 5 {
		join(i)
	}
	if got := w.gateways(5); !same(got, 0) {
		t.Errorf("gateways of a new cell: %v", got)
	}
	w.pass(6 * time.Second)
	join(5)
	if got := w.gateways(6); !same(got, 0) {
		t.Errorf("gateways after 6 s: %v", got)
	}
	w.pass(2 * time.Second)
	if got := w.gateways(6); len(got) != 3 {
		t.Errorf("gateways after 8 s: %v", got)
	}
	w.check()
}

func TestANewCellWithoutASeeder(t *testing.T) {
	w := newWorld(t, Defaults())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for i := range 5 {
		name := fmt.Sprint("v", i)
		w.at(name, full("Bern"))
		w.announce(name, i, 5) // the seeder answers no offer
	}
	w.pass(time.Second)
	if got := w.gateways(5); !same(got, 0) {
		t.Errorf("gateways after a second: %v", got)
	}
	w.pass(2 * time.Second)
	if got := w.gateways(5); len(got) != 3 {
		t.Errorf("gateways after 3 s without a seeder: %v", got)
	}
	w.check()
}

func TestASilentGatewayIsReplaced(t *testing.T) {
	w := office(t, 4, 1)
	w.live(50*time.Second, 4, 0)
	if got := w.gateways(4); !same(got, 1) {
		t.Errorf("gateways: %v", got)
	}
	if w.probe[w.sock("v0")] != 1 {
		t.Errorf("its socket was probed %d times", w.probe[w.sock("v0")])
	}
	if n := w.core.Stats.Successors[CauseSilent].Load(); n != 1 {
		t.Errorf("%d counted", n)
	}
	// One that reports is missed sooner.
	w = office(t, 4, 1)
	for range 4 {
		w.core.Delivered(w.sock("v0"), 0, w.now)
		w.live(5*time.Second, 4)
	}
	w.live(16*time.Second, 4, 0)
	if got := w.gateways(4); !same(got, 1) {
		t.Errorf("gateways with reports: %v", got)
	}
}

func TestAGatewayThatDoesNotConnectIsReplaced(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for i := range 4 {
		name := fmt.Sprint("v", i)
		w.at(name, Place{Site: "Bern", Peering: sites.Full, Gateways: 1})
		w.announce(name, i, 5)
	}
	w.take("S", 0) // the seeder never sees the offer of the first one
	for range 15 {
		w.pass(time.Second)
	}
	if got := w.gateways(4); !same(got, 1) || w.core.Stats.Successors[CauseUnconnected].Load() != 1 {
		t.Fatalf("gateways: %v", got)
	}
	if w.wanted("S") == 0 {
		t.Error("the seeder was not asked for an offer to the next one")
	}
	w.check()
}

// TestGatewaysAreThoseThatDeliver: one that delivers nothing gives way to one that does, and is not chosen again.
func TestGatewaysAreThoseThatDeliver(t *testing.T) {
	w := office(t, 6, 2)
	for range 40 {
		for i := range 6 {
			delivered := int64(0)
			if i >= 4 {
				delivered = int64(i) << 18
			}
			w.core.Delivered(w.sock(fmt.Sprint("v", i)), delivered, w.now)
		}
		w.live(5*time.Second, 6)
	}
	if got := w.gateways(6); !same(got, 4, 5) {
		t.Errorf("gateways: %v", got)
	}
	// The next one delivered most, or has been there for longest without being idle.
	w.at("v6", Place{Site: "Bern", Peering: sites.Full, Gateways: 2})
	w.announce("v6", 6, 5)
	w.receive(w.core.Close(w.sock("v5")))
	if got := w.gateways(7); !same(got, 4, 6) {
		t.Errorf("gateways after one has left: %v", got)
	}
	w.check()
}

// TestInventedDeliveriesDoNotTakeAllPlaces: at least one gateway is chosen by age.
func TestInventedDeliveriesDoNotTakeAllPlaces(t *testing.T) {
	w := office(t, 12, 3)
	for range 10 {
		for i := 6; i < 12; i++ {
			w.core.Delivered(w.sock(fmt.Sprint("v", i)), 1<<62, w.now)
		}
		w.live(5*time.Second, 12)
	}
	for i := range 3 {
		w.receive(w.core.Close(w.sock(fmt.Sprint("v", i))))
	}
	got := w.gateways(12)
	liars := 0
	for _, i := range got {
		liars += asInt(i >= 6)
	}
	if len(got) != 3 || liars != 2 {
		t.Errorf("gateways: %v", got)
	}
	if d := w.sock("v7").delivered.at(w.now); d > 100*mostDelivered {
		t.Errorf("believed to have delivered %v bytes", d)
	}
	w.core.Delivered(w.sock("S"), 5, w.now)
	w.core.Delivered(w.sock("v7"), -1<<63, w.now)
	w.check()
}

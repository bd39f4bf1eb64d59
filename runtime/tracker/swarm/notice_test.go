package swarm

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// notices takes the notices of a seeder's inbox.
func (w *world) notices(name string) map[int]signaling.Origin {
	all := map[int]signaling.Origin{}
	sock := w.sock(name)
	keep := w.inbox[sock][:0]
	for _, m := range w.inbox[sock] {
		if m.HasAbout {
			all[number(m.About)] = m.Origin
		} else {
			keep = append(keep, m)
		}
	}
	w.inbox[sock] = keep
	return all
}

// TestSeedersLearnOfNewGateways in the call in which a gateway leaves: they need not announce, and the new one need not.
func TestSeedersLearnOfNewGateways(t *testing.T) {
	w := newWorld(t, immediate())
	w.at("S", edge("Bern"))
	w.announce("S", 1000, 0)
	for i := range 4 {
		name := fmt.Sprint("v", i)
		w.at(name, Place{Site: "Bern", Peering: sites.Full, Gateways: 1})
		w.announce(name, i, 5)
	}
	if got := w.notices("S"); len(got) > 0 {
		t.Errorf("the seeder was told %+v although its offers say so", got)
	}
	w.answerAll("S", 1000)
	w.check()
	w.receive(w.core.Close(w.sock("v0")))
	if got, want := w.notices("S"), (signaling.Origin{Site: "Bern", Near: true, Gateway: true}); len(got) != 1 || got[1] != want {
		t.Errorf("the seeder was told %+v, want that 1 is a gateway", got)
	}
	w.check()
	// The map allows more, and then fewer.
	w.at("v4", Place{Site: "Bern", Peering: sites.Full, Gateways: 3})
	w.announce("v4", 4, 5)
	if got := w.notices("S"); len(got) != 2 || !got[2].Gateway || !got[3].Gateway {
		t.Errorf("the seeder was told %+v, want that 2 and 3 are gateways", got)
	}
	w.answerAll("S", 1000)
	w.at("v5", Place{Site: "Bern", Peering: sites.Full, Gateways: 1})
	w.announce("v5", 5, 5)
	if got := w.notices("S"); len(got) != 2 || got[2].Gateway || got[3].Gateway {
		t.Errorf("the seeder was told %+v, want that 2 and 3 are none any more", got)
	}
	w.check()
}

// TestSeedersLearnOfSilentGateways: one that is silent stays connected, and is none any more.
func TestSeedersLearnOfSilentGateways(t *testing.T) {
	w := office(t, 4, 1)
	w.notices("S")
	got := map[int]signaling.Origin{}
	w.seen = func(to *Socket, m signaling.TrackerMessage) {
		if to == w.sock("S") && m.HasAbout {
			got[number(m.About)] = m.Origin
		}
	}
	w.live(50*time.Second, 4, 0)
	if o, ok := got[0]; !ok || o.Gateway {
		t.Errorf("the seeder was told %+v, want that 0 is no gateway any more", got)
	}
	if n := w.core.Stats.PlacesTold.Load(); n == 0 || n > 10 {
		t.Errorf("%d messages", n)
	}
	w.check()
}

// TestSeedersLearnOfCells that were joined, and of viewers that are somewhere else.
func TestSeedersLearnOfCells(t *testing.T) {
	cfg := immediate()
	cfg.CellSize = 10
	w := newWorld(t, cfg)
	w.at("S", full("datacentre"))
	w.announce("S", 1000, 0)
	for i := range 14 {
		name := fmt.Sprint("v", i)
		w.at(name, full("Bern"))
		w.announce(name, i, 5)
	}
	w.answerAll("S", 1000)
	var second []int // gateways of the second cell
	for i := range 14 {
		if p := w.peer(fmt.Sprint("v", i), i); p.isGateway() && p.cell.number == 1 {
			second = append(second, i)
		}
	}
	for i := range 14 {
		if i > 2 && i != second[0] {
			w.receive(w.core.Close(w.sock(fmt.Sprint("v", i))))
		}
	}
	w.check()
	w.pass(20 * time.Second)
	w.check()
	if o, ok := w.notices("S")[second[0]]; !ok || o.Cell != 0 {
		t.Errorf("the seeder was told %+v of a viewer whose cell has become another one's part", o)
	}
	name := fmt.Sprint("v", second[0])
	w.receive(w.core.Move(w.sock(name), full("Rome"), w.now))
	if o, want := w.notices("S")[second[0]], (signaling.Origin{Site: "Rome", Gateway: true}); o != want {
		t.Errorf("the seeder was told %+v, want %+v", o, want)
	}
	w.receive(w.core.Move(w.sock(name), Place{}, w.now))
	if o, ok := w.notices("S")[second[0]]; !ok || o != (signaling.Origin{}) {
		t.Errorf("the seeder was told %+v of a viewer that is in no site any more", o)
	}
	w.check()
}

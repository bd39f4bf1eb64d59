package swarm

import (
	"fmt"
	"testing"
	"time"
)

// suppliers returns the seeders outside with which the gateways of a site are connected, each once.
func (w *world) suppliers(site string) map[*Peer]bool {
	all := map[*Peer]bool{}
	for _, c := range w.core.swarms[hashOne].sites[site].cells {
		for _, p := range c.gateways {
			for i := range p.relations {
				if r := &p.relations[i]; r.linked && r.peer.sock.Seeder {
					all[r.peer] = true
				}
			}
		}
	}
	return all
}

// TestASiteHasOneSupplier: seeders that do not know of each other would each bring a copy into a site.
func TestASiteHasOneSupplier(t *testing.T) {
	const seeders, sites, viewers = 4, 5, 8
	w := newWorld(t, immediate())
	seeder := func(n int) string { return fmt.Sprint("S", n) }
	for n := range seeders {
		w.at(seeder(n), full("datacentre"))
		w.announce(seeder(n), 1000+n, 0)
	}
	step := func(gone string) {
		for n := range seeders {
			if seeder(n) == gone {
				continue
			}
			if wanted := w.wanted(seeder(n)); wanted > 0 {
				w.announce(seeder(n), 1000+n, wanted)
			}
			w.answerAll(seeder(n), 1000+n)
		}
		for i := range sites * viewers {
			w.answerAll(fmt.Sprint("v", i), i)
		}
	}
	for i := range sites * viewers {
		name := fmt.Sprint("v", i)
		w.at(name, full(fmt.Sprint("site", i%sites)))
		w.announce(name, i, 5)
		if i%3 == 0 { // others come before the seeders have answered
			step("")
		}
	}
	live := func(d time.Duration, gone string) {
		for s := range int(d / time.Second) {
			w.pass(time.Second)
			if s%10 == 0 {
				for i := range sites * viewers {
					w.announce(fmt.Sprint("v", i), i, 5)
				}
			}
			step(gone)
		}
	}
	live(30*time.Second, "")
	used := map[*Peer]bool{}
	for n := range sites {
		got := w.suppliers(fmt.Sprint("site", n))
		if len(got) != 1 {
			t.Errorf("site %d has %d suppliers", n, len(got))
		}
		for p := range got {
			used[p] = true
		}
	}
	if len(used) < 2 {
		t.Errorf("all sites have the same supplier of %d seeders", seeders)
	}

	// When it goes, another one takes its place, without an announce of the viewers.
	var lost *Peer
	for p := range w.suppliers("site0") {
		lost = p
	}
	gone := lost.sock.Ref.(string)
	w.receive(w.core.Close(w.sock(gone)))
	for range 3 {
		w.pass(time.Second)
		step(gone)
	}
	if got := w.suppliers("site0"); len(got) != 1 || got[lost] {
		t.Errorf("after its supplier has gone, the site has %d", len(got))
	}
	w.check()
}

package swarm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/sites"
)

// seedersOf are the ids of the seeders that the gateways of a site are related to, each once for each gateway.
func (w *world) seedersOf(site string) (ids []int) {
	for _, c := range w.core.swarms[hashOne].sites[site].cells {
		for _, p := range c.gateways {
			for i := range p.relations {
				if q := p.relations[i].peer; q.Seeder() {
					ids = append(ids, number(q.id))
				}
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// TestGatewaysOfASiteHaveTheSameSeeders, so that these choose the same gateway for a segment; and the sites divide the seeders
// among them.
func TestGatewaysOfASiteHaveTheSameSeeders(t *testing.T) {
	w := newWorld(t, Defaults())
	for i := range 4 {
		w.at(fmt.Sprint("S", i), full("datacentre"))
		w.announce(fmt.Sprint("S", i), 1000+i, 0)
	}
	const many = 30
	for i := range many * 4 { // they come in turns, so that loads differ from one to the next
		name := fmt.Sprint("v", i)
		w.at(name, full(fmt.Sprint("site", i%many)))
		w.announce(name, i, 5)
	}
	w.check()
	used := map[int]int{}
	for i := range many {
		ids := w.seedersOf(fmt.Sprint("site", i))
		if len(ids) != 6 || len(slices.Compact(slices.Clone(ids))) != 2 {
			t.Errorf("the gateways of a site have the seeders %v", ids)
		}
		for _, id := range ids {
			used[id]++
		}
	}
	for i := range 4 {
		if n := used[1000+i]; n < many*6/4/3 {
			t.Errorf("seeder %d is that of %d gateways of %d", i, n, many*3)
		}
	}
	// A seeder that no gateway of a site has does not offer itself to them.
	w.receive(w.core.Close(w.sock("v0"))) // its successor wants a seeder
	first := w.seedersOf("site0")
	for i := range 4 {
		if !slices.Contains(first, 1000+i) {
			w.announce(fmt.Sprint("S", i), 1000+i, 10)
		}
	}
	if got := w.seedersOf("site0"); !slices.Equal(got, first) {
		t.Errorf("the gateways had the seeders %v, and have %v", first, got)
	}
	for i := range 4 {
		if slices.Contains(first, 1000+i) {
			w.announce(fmt.Sprint("S", i), 1000+i, 10)
		}
	}
	if got := w.seedersOf("site0"); len(got) <= len(first) || len(slices.Compact(got)) != 2 {
		t.Errorf("the gateways had the seeders %v, and have %v", first, got)
	}
	w.check()
}

// TestWhenASeederLeaves the gateways of its sites get another one, all the same.
func TestWhenASeederLeaves(t *testing.T) {
	w := newWorld(t, Defaults())
	for i := range 4 {
		w.at(fmt.Sprint("S", i), full("datacentre"))
		w.announce(fmt.Sprint("S", i), 1000+i, 0)
	}
	for i := range 3 {
		w.at(fmt.Sprint("v", i), full("Bern"))
		w.announce(fmt.Sprint("v", i), i, 5)
	}
	before := slices.Compact(w.seedersOf("Bern"))
	w.receive(w.core.Close(w.sock(fmt.Sprint("S", before[0]-1000))))
	for i := range 3 {
		w.announce(fmt.Sprint("v", i), i, 5)
	}
	after := slices.Compact(w.seedersOf("Bern"))
	if len(after) != 2 || slices.Contains(after, before[0]) || !slices.Contains(after, before[1]) {
		t.Errorf("the seeders were %v, and are %v", before, after)
	}
	w.check()
}

// TestTheSizeOfCellsOfAMap holds at once for those that come, and the tracker's own for maps that say nothing.
func TestTheSizeOfCellsOfAMap(t *testing.T) {
	w := newWorld(t, Defaults())
	for i := range 30 {
		w.at(fmt.Sprint("v", i), Place{Site: "Bern", Peering: sites.Full, CellSize: 12})
		w.announce(fmt.Sprint("v", i), i, 5)
	}
	where := w.core.swarms[hashOne].sites["Bern"]
	if len(where.cells) != 3 {
		t.Errorf("%d cells for 30 viewers of which 12 may meet", len(where.cells))
	}
	w.check()
	w.at("one", Place{Site: "Rome", Peering: sites.Full, CellSize: 1})
	w.announce("one", 100, 5)
	if got := w.core.swarms[hashOne].sites["Rome"].cellSize; got != leastCell {
		t.Errorf("a cell of %d", got)
	}
	for i := range 30 { // the map says nothing any more
		w.receive(w.core.Move(w.sock(fmt.Sprint("v", i)), full("Bern"), w.now))
	}
	if len(where.cells) > 3 || where.cellSize != Defaults().CellSize {
		t.Errorf("%d cells, %d viewers each", len(where.cells), where.cellSize)
	}
}

package main

import (
	"math"

	"github.com/p2pstream/p2pstream/test/soak/judge"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// cost is what one connection of a peer takes, and one offer that may become a
// connection: so many goroutines, or so many descriptors.
type cost struct{ peer, offer float64 }

// What an offer takes if no sample tells, as a share of what a connection does:
// all its sockets are open, but nothing runs over them yet.
var offerShare = map[samples.Column]float64{samples.Goroutines: 1. / 3, samples.Descriptors: 1}

// costOf learns what a connection takes from the samples themselves: by how much
// the figure changed each time that only the number of connections had, in the
// median over all programs of the same kind. So it holds whatever the WebRTC
// library and the number of network interfaces, and hardly feels a leak.
func costOf(rows []samples.Row, kind func(name string) bool, c samples.Column) cost {
	type process struct {
		name string
		life int
	}
	last := map[process]samples.Row{}
	var peers, offers []float64
	for _, r := range rows {
		if !kind(r.Program) {
			continue
		}
		key := process{r.Program, r.Life}
		if was, ok := last[key]; ok {
			dp, do := r.Values[samples.Peers]-was.Values[samples.Peers], r.Values[samples.Offers]-was.Values[samples.Offers]
			change := r.Values[c] - was.Values[c]
			switch {
			case math.IsNaN(dp + do + change):
			case dp != 0 && do == 0:
				peers = append(peers, change/dp)
			case dp == 0 && do != 0:
				offers = append(offers, change/do)
			}
		}
		last[key] = r
	}
	if len(peers) == 0 {
		return cost{}
	}
	out := cost{peer: max(0, judge.Median(peers))}
	if out.offer = out.peer * offerShare[c]; len(offers) >= enoughOffers {
		out.offer = max(0, judge.Median(offers))
	}
	return out
}

// enoughOffers is how many changes tell what an offer takes.
const enoughOffers = 3

// costs are those of all kinds of peers.
type costs struct{ seeder, viewer map[samples.Column]cost }

func costsOf(rows []samples.Row) costs {
	out := costs{seeder: map[samples.Column]cost{}, viewer: map[samples.Column]cost{}}
	for c := range offerShare {
		out.seeder[c] = costOf(rows, func(name string) bool { return name == keptSeeder || name == otherSeeder }, c)
		out.viewer[c] = costOf(rows, func(name string) bool { return isViewer(name) || isComer(name) }, c)
	}
	return out
}

// rest is a program's figure without what its connections and offers take; ok is
// false for figures and programs that have nothing to do with those.
func (cs costs) rest(r samples.Row, c samples.Column) (v float64, ok bool) {
	of := cs.viewer
	switch {
	case r.Program == keptSeeder || r.Program == otherSeeder:
		of = cs.seeder
	case !isViewer(r.Program) && !isComer(r.Program):
		return 0, false
	}
	one, ok := of[c]
	v = r.Values[c] - one.peer*r.Values[samples.Peers] - one.offer*r.Values[samples.Offers]
	return v, ok && !math.IsNaN(v)
}

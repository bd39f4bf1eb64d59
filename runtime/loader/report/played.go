package report

import (
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Played makes what a viewer reports of its renditions: the first ones by their names, and the rest, with those whose names a
// report does not take, as one. The order of all must stay, so that what was counted as a part of the rest stays there.
func Played(all []traffic.Played) []telemetry.Played {
	var out []telemetry.Played
	rest := telemetry.Played{Rendition: telemetry.OtherRendition}
	for _, p := range all {
		if len(out) < telemetry.MaxPlayed-1 && named(p.Rendition) {
			out = append(out, telemetry.Played{Rendition: p.Rendition, Sources: sources(p)})
			continue
		}
		rest.Sources = rest.Add(sources(p))
	}
	if rest.Received() > 0 {
		out = append(out, rest)
	}
	return out
}

// Together makes what a seeder reports: the sum, since seeders follow renditions that may not be played.
func Together(all []traffic.Played) []telemetry.Played {
	var sum telemetry.Sources
	for _, p := range all {
		sum = sum.Add(sources(p))
	}
	return []telemetry.Played{{Sources: sum}}
}

// named tells whether a report takes a name, and would not take it for another one.
func named(name string) bool {
	if name == "" || name == telemetry.OtherRendition || len(name) > telemetry.MaxNameLength {
		return false
	}
	for i := range len(name) {
		if name[i] < 0x20 || name[i] > 0x7e {
			return false
		}
	}
	return true
}

func sources(p traffic.Played) telemetry.Sources {
	return telemetry.Sources{Origin: p.HTTP, SeederInside: p.SeederInside, SeederOutside: p.SeederOutside,
		ViewerInside: p.ViewerInside, ViewerOutside: p.ViewerOutside}
}

// since returns what was played after another report of the same peer.
func since(played, before []telemetry.Played) []telemetry.Played {
	for i := range played {
		for _, b := range before {
			if b.Rendition == played[i].Rendition {
				played[i].Sources = played[i].Sub(b.Sources)
			}
		}
	}
	return played
}

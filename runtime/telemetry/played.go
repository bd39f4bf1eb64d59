package telemetry

import "fmt"

// MaxPlayed bounds the renditions that a report tells sources of. A peer that has more sums the rest under OtherRendition.
const MaxPlayed = 8

// OtherRendition names the sum of renditions that have no figures of their own.
const OtherRendition = "other"

// Played are the media bytes of one rendition that a peer received, cumulative since the session began. A report without
// them is that of a peer that does not tell sources.
type Played struct {
	// Rendition is its name. Pages do not know it: they send the type of the stream and its index in their generation, such
	// as "main-0". Empty: all renditions together.
	Rendition string `json:"r"`
	Sources
}

// checkPlayed refuses what no peer sends. It does not compare with the counters: these are read at another moment.
func (r *Report) checkPlayed() error {
	if len(r.Played) > MaxPlayed {
		return refuse(Malformed, fmt.Sprintf("more than %d renditions are played", MaxPlayed))
	}
	for i, p := range r.Played {
		if len(p.Rendition) > MaxNameLength || !printable(p.Rendition) {
			return refuse(Malformed, "name of a played rendition is too long or not printable ASCII")
		}
		if !p.valid() {
			return refuse(Malformed, "bytes of a played rendition out of range")
		}
		for _, before := range r.Played[:i] {
			if before.Rendition == p.Rendition {
				return refuse(Malformed, "a played rendition occurs twice")
			}
		}
	}
	return nil
}

// limit scales the parts of one report so that they do not exceed what the report added to the counters: those are what the
// budgets have checked.
func limit(parts []rise, delta Counters) {
	var sum Sources
	for _, p := range parts {
		sum = sum.Add(p.Sources)
	}
	share := func(most, told int64) float64 {
		if told <= most {
			return 1
		}
		return float64(most) / float64(told)
	}
	origin, seeder, viewer := share(delta.HTTP, sum.Origin), share(delta.Seeder, sum.Seeder()), share(delta.Viewer, sum.Viewer())
	if origin == 1 && seeder == 1 && viewer == 1 {
		return
	}
	for i, p := range parts {
		parts[i].Sources = p.scaleEach(origin, seeder, viewer)
	}
}

// untold are the sources of a peer that does not tell them: it is led to seeders elsewhere, and to viewers of its own site.
func untold(delta Counters) Sources {
	return Sources{Origin: delta.HTTP, SeederOutside: delta.Seeder, ViewerInside: delta.Viewer}
}

package settings

import "time"

// edge is the newest published segment of a rendition that the tracker or a seeder has seen.
type edge struct {
	sequence int64
	at       time.Time
}

// Edges returns the live edge of each rendition, by name: what the tracker read of the one that it follows, or what a
// seeder that reports has seen, if that is more. A stream that is not live has none.
func Edges(in HoldingInput, followed string) map[string]int64 {
	out := map[string]int64{}
	for name, e := range edges(in, followed) {
		out[name] = e.sequence
	}
	return out
}

func edges(in HoldingInput, followed string) map[string]edge {
	out := map[string]edge{}
	if !in.Playlist.Known() || !in.Playlist.Live {
		return out
	}
	if followed != "" {
		out[followed] = edge{in.Playlist.Edge, in.ReadAt}
	}
	for _, s := range in.Seeders {
		if !s.Fresh || s.State.EdgeSite != "" {
			continue
		}
		for _, h := range s.State.Renditions {
			if known, ok := out[h.Name]; h.KnownEdge > 0 && (!ok || h.KnownEdge > known.sequence) {
				out[h.Name] = edge{h.KnownEdge, s.At}
			}
		}
	}
	return out
}

// Lag is a rendition of which a seeder lacks the newest segments.
type Lag struct {
	Seeder, Rendition string
	HeldEdge, Edge    int64 // HeldEdge is −1 if the seeder holds nothing
}

// Behind returns what seeders should hold of a live stream and do not: more segments are missing than Holding tolerates. A
// seeder that reports no rendition at all is behind in everything, under the name "".
func Behind(in HoldingInput, followed string) []Lag {
	known := edges(in, followed)
	out := []Lag{}
	if len(known) == 0 {
		return out
	}
	for _, s := range in.Seeders {
		switch {
		case !s.Fresh, s.State.EdgeSite != "":
			continue // what an edge seeder lacks, others hold
		case len(s.State.Renditions) == 0:
			out = append(out, Lag{Seeder: s.ID, HeldEdge: -1, Edge: in.Playlist.Edge})
			continue
		}
		for _, h := range s.State.Renditions {
			e, ok := known[h.Name]
			held := h.HeldEdge
			if h.Segments <= 0 {
				held = -1
			}
			if ok && (held < 0 || held < e.sequence-tolerance(in.Playlist, s.At, e.at)) {
				out = append(out, Lag{Seeder: s.ID, Rendition: h.Name, HeldEdge: held, Edge: e.sequence})
			}
		}
	}
	return out
}

// tolerance is how many segments a report may lag behind an edge that was seen at another time: as many as were
// published between the two times are added to edgeLag.
func tolerance(p Playlist, reported, seen time.Time) int64 {
	lag := int64(edgeLag)
	if between := seen.Sub(reported); between > 0 {
		lag += int64((between + p.TargetDuration - 1) / p.TargetDuration)
	}
	return lag
}

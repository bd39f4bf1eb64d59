package settings

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

const (
	// edgeLag is how many segments a seeder may be behind the edge: it is then still ahead of the viewers, who play at
	// least three target durations behind the edge.
	edgeLag = 2
	// firstWindow is how much of a film must be held before viewers are configured to wait for seeders.
	firstWindow = time.Minute
)

// HoldingInput is what is known about the stream and its seeders at one moment.
type HoldingInput struct {
	Playlist   Playlist
	ReadAt     time.Time                // when the playlist was read
	Renditions []string                 // names of the main renditions; empty: unknown, any rendition counts
	Seeders    []telemetry.SeederReport // Fresh as of now
}

// Holding returns how many seeders hold the stream now and accept another viewer, and whether that is enough to configure
// viewers for it: together they must hold at least half of the main renditions, so that a viewer probably plays one that
// is held. A seeder holds a live rendition when its newest segment is near the edge, and a VOD one when
// it has all segments or the first minute of them.
func Holding(in HoldingInput) (seeders int, enough bool) {
	if !in.Playlist.Known() {
		return 0, false
	}
	held := map[string]bool{}
	for _, s := range in.Seeders {
		if s.State.EdgeSite != "" {
			continue // it serves the viewers of one site
		}
		if !s.Fresh || (s.State.MaxPeers > 0 && s.State.Peers >= s.State.MaxPeers) {
			continue
		}
		holds := false
		for _, h := range s.State.Renditions {
			if holdsRendition(in, s, h) {
				holds = true
				held[h.Name] = true
			}
		}
		if holds {
			seeders++
		}
	}
	if len(in.Renditions) == 0 {
		return seeders, seeders > 0
	}
	covered := 0
	for _, name := range in.Renditions {
		if held[name] {
			covered++
		}
	}
	return seeders, covered > 0 && 2*covered >= len(in.Renditions)
}

func holdsRendition(in HoldingInput, s telemetry.SeederReport, h telemetry.HeldRendition) bool {
	p := in.Playlist
	if h.Segments <= 0 {
		return false
	}
	if !p.Live {
		return h.Segments >= min(p.Segments, int((firstWindow+p.TargetDuration-1)/p.TargetDuration))
	}
	return h.HeldEdge >= p.Edge-tolerance(p, s.At, in.ReadAt)
}

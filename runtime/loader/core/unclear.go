package core

import (
	"slices"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Players of V22 and V23 number the segments of a live playlist by media sequence and those of a film by their place. When a live
// playlist ends, those who saw it live keep the numbers that they know and number what is new by its place, and those who
// come later number everything by its place. Where both give one number to different segments, a peer that asks for it,
// or says that it holds it, may mean either: such segments are not shared. Segments of an MPD keep their numbers, but those of
// V3 may begin within a tenth of a second, or in two periods at what V3 takes for one time.

// Clear tells whether all peers of a generation mean the segment by its id.
func (s *Segment) Clear(g identity.Generation) bool { return !slices.Contains(s.unclear, g) }

func (s *Segment) doubt(g identity.Generation) {
	if s.Clear(g) {
		s.unclear = append(s.unclear, g)
	}
}

// clarify notes which ids have one meaning under a new playlist, for each of some generations.
func (t *table) clarify(p *manifest.Playlist, generations []identity.Generation) {
	for _, seg := range t.order {
		seg.unclear = nil
	}
	both := p.Live && p.Ended && p.MediaSequence > 0 && !p.ByTime
	for _, g := range generations {
		rules := identity.RulesOf(g)
		if rules.Places && both {
			t.doubtPlaces(g, p)
		}
		if rules.Distinct || (rules.Places && both) {
			t.doubtTwins(g)
		}
	}
}

// doubtPlaces doubts sequence numbers in reach of the places: each is what some call the segment at that place.
func (t *table) doubtPlaces(g identity.Generation, p *manifest.Playlist) {
	for _, seg := range t.order {
		if id := seg.ID(g); id < int64(p.Entries) && id != seg.Sequence-p.MediaSequence {
			seg.doubt(g)
		}
	}
}

// doubtTwins doubts segments that have one id.
func (t *table) doubtTwins(g identity.Generation) {
	taken := make(map[int64]*Segment, len(t.order))
	for _, seg := range t.order {
		id := seg.ID(g)
		if other := taken[id]; other != nil {
			seg.doubt(g)
			other.doubt(g)
		}
		taken[id] = seg
	}
}

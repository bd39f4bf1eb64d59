package rendition

import (
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Players of V23 number the segments of a live playlist by media sequence and those of a film by their place. When a live
// playlist ends, those who saw it live keep the numbers that they know and number what is new by its place, and those who
// come later number everything by its place. Where both give one number to different segments, a peer that asks for it,
// or says that it holds it, may mean either: such segments are not shared. Segments of an MPD keep their numbers.

// clear tells whether all peers of a generation mean the segment by its id.
func (s *segment) clear(g identity.Generation) bool { return g != identity.V23 || !s.unclear }

// clarify notes which ids have one meaning under a new playlist.
func (t *table) clarify(p *manifest.Playlist) {
	both := p.Live && p.Ended && p.MediaSequence > 0 && !p.ByTime
	place := int64(0) // how many places there are
	if both {
		place = int64(p.Entries)
	}
	// A sequence number in reach of the places is what some call the segment at that place.
	for _, seg := range t.order {
		id := seg.ID(identity.V23)
		seg.unclear = both && id < place && id != seg.Sequence-p.MediaSequence
	}
	if !both {
		return
	}
	taken := make(map[int64]*segment, len(t.order))
	for _, seg := range t.order {
		id := seg.ID(identity.V23)
		if other := taken[id]; other != nil {
			seg.unclear, other.unclear = true, true
		}
		taken[id] = seg
	}
}

package manifest

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// ByNumber is the segment with its media sequence number as its id in every generation. Viewers that follow a playlist
// keep the first id of a URL for as long as the URL stays listed (Numbering). A viewer that joins later cannot know that
// id: where a URL comes again for another segment, only the number names what both mean.
// Segments of an MPD are not known by their number and stay as they are.
func (s Segment) ByNumber() Segment {
	if !s.byTime {
		s.ids = identity.Numbers{}
	}
	return s
}

// LastEntry is the media sequence number of the playlist's last entry, repeated entries included, or one less than
// MediaSequence if there is none.
func (p *Playlist) LastEntry() int64 {
	return max(p.LastSequence(), p.MediaSequence+int64(p.Entries)-1)
}

// Repeats tells whether the entries between a and b, which follow each other in Segments, repeat earlier ones.
func Repeats(a, b Segment) bool { return b.Sequence > a.Sequence+1 }

// End is where the timeline of the playlist ends, repeated entries included.
func (p *Playlist) End() (end time.Duration) {
	if len(p.Segments) == 0 {
		return 0
	}
	last := p.Segments[len(p.Segments)-1]
	return max(p.Segments[0].Start+p.Window, last.Start+last.Duration)
}

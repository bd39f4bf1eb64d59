package manifest

import (
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// Numbering gives segments the external ids of a viewer that has followed a
// rendition from some load on. A segment keeps the ids it was first seen with,
// as long as it stays in the playlist. A new one gets its media sequence
// while the playlist is live and its position once it has ended. So a sliding live
// playlist of 1502 to 1506 that ends ends with 1502, 1503, 1504, 3, 4. Pages with Shaka
// Player number a film by position too, and do not learn what comes with the end of
// an event. For V3 a new one gets its media sequence always; of an entry that comes
// twice, the later one.
// Source: p2p-media-loader-hlsjs 2.3.1.
// Segments of an MPD keep the id that they were seen with, too. Source: p2p-media-loader-shaka 2.2.2.
type Numbering struct {
	known  map[string]identity.Numbers
	byTime *dash.Numbering
}

// NewNumbering returns a numbering that has seen nothing.
func NewNumbering() *Numbering { return &Numbering{} }

// Apply numbers the segments of p, the next state of the rendition. It writes
// into p.Segments, so p must not be in use yet.
func (n *Numbering) Apply(p *Playlist) {
	if p.mpd != nil {
		if n.byTime == nil {
			n.byTime = dash.NewNumbering()
		}
		n.byTime.Apply(p.mpd)
		for i := range p.Segments {
			p.Segments[i].ids = p.mpd.Segments[i].IDs
		}
		return
	}
	now := make(map[string]identity.Numbers, len(p.Segments))
	for i := range p.Segments {
		s := &p.Segments[i]
		key := s.runtimeID()
		ids, ok := n.known[key]
		if !ok {
			ids = identity.Numbers{Counted: s.Sequence, Listed: s.Sequence, Written: s.Sequence + s.repeated}
			if p.Ended {
				ids.Counted, ids.Listed = s.position, s.position
			}
		}
		now[key] = ids
		s.ids = identity.Numbers{Counted: ids.Counted - s.Sequence, Listed: ids.Listed - s.Sequence, Written: ids.Written - s.Sequence}
	}
	n.known = now
}

package manifest

import "github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"

// Numbering gives segments the V23 external ids of a viewer that has followed a
// rendition from some load on. A segment keeps the id it was first seen with,
// as long as it stays in the playlist; a new one gets its media sequence while
// the playlist is live and its position once it has ended. So a sliding live
// playlist of 1502 to 1506 that ends ends with 1502, 1503, 1504, 3, 4.
// Source: p2p-media-loader-hlsjs 2.3.1.
// Segments of an MPD keep the id that they were seen with, too. Source: p2p-media-loader-shaka 2.2.2.
type Numbering struct {
	known  map[string]int64
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
			p.Segments[i].external = p.mpd.Segments[i].ID
		}
		return
	}
	now := make(map[string]int64, len(p.Segments))
	for i := range p.Segments {
		s := &p.Segments[i]
		key := s.runtimeID()
		id, ok := n.known[key]
		if !ok {
			id = s.Sequence
			if p.Ended {
				id = s.position
			}
		}
		now[key] = id
		s.v23 = id - s.Sequence
	}
	n.known = now
}

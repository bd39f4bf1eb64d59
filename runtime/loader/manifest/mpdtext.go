package manifest

import "github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"

// MPD is the MPD that p was made from; nil if it was made from HLS playlists.
func (p *Presentation) MPD() *dash.Presentation { return p.mpd }

// Find returns the segment that is r, as a Reference by which the engine knows it.
func (p *Playlist) Find(r Resource) (Reference, bool) {
	key := r.Key()
	for _, s := range p.Segments {
		if s.URL == r.URL && s.runtimeID() == key {
			return Reference{Kind: RefSegment, Resource: r, Sequence: s.Sequence, name: s.name}, true
		}
	}
	return Reference{}, false
}

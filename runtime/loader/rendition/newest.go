package rendition

import (
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
)

// newestOf is the newest segment that a peer announced, with what it was computed from: an announcement of hundreds of
// segments is looked through once.
type newestOf struct {
	announced *session.Announcement
	playlist  *manifest.Playlist
	sequence  int64
}

// newestLoaded has, for each peer that holds segments, the media sequence of the newest one; one less than the first of
// all for a peer whose segments are unknown here.
func (r *Rendition) newestLoaded() []int64 {
	var out []int64
	known := make(map[*session.Session]newestOf, len(r.sessions))
	position := make(map[identity.Generation]map[int64]int64, len(r.shared.Settings.Generations))
	for _, s := range r.sessions {
		a := s.Announced()
		if a.LoadedLen() == 0 || s.Seeder() { // what a seeder holds says nothing about a viewer's place
			continue
		}
		newest, ok := r.history.newest[s]
		if !ok || newest.announced != a || newest.playlist != r.playlist {
			ids := position[s.Generation()]
			if ids == nil {
				ids = make(map[int64]int64, len(r.segments.order))
				for _, seg := range r.segments.order {
					ids[seg.ID(s.Generation())] = seg.Sequence
				}
				position[s.Generation()] = ids
			}
			newest = newestOf{a, r.playlist, r.segments.order[0].Sequence - 1}
			for id := range a.Loaded {
				if sequence, ok := ids[id]; ok && sequence > newest.sequence {
					newest.sequence = sequence
				}
			}
		}
		known[s] = newest
		out = append(out, newest.sequence)
	}
	r.history.newest = known
	return out
}

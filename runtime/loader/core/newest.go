package core

import (
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// newestOf is the newest segment that a peer announced, with what it was computed from: an announcement of hundreds of
// segments is looked through once.
type newestOf struct {
	announced *Announcement
	playlist  *manifest.Playlist
	sequence  int64
}

// newestLoaded has, for each peer that holds segments, the media sequence of the newest one; one less than the first of
// all for a peer whose segments are unknown here.
func (c *Core) newestLoaded() []int64 {
	var out []int64
	position := make(map[identity.Generation]map[int64]int64, len(c.Config.Generations))
	for _, s := range c.peers {
		a := s.Announced()
		if a.LoadedLen() == 0 || s.Seeder() { // what a seeder holds says nothing about a viewer's place
			continue
		}
		newest := &c.standing[s].newest
		if newest.announced != a || newest.playlist != c.playlist {
			ids := position[s.Generation()]
			if ids == nil {
				ids = make(map[int64]int64, len(c.table.order))
				for _, seg := range c.table.order {
					ids[seg.ID(s.Generation())] = seg.Sequence
				}
				position[s.Generation()] = ids
			}
			*newest = newestOf{a, c.playlist, c.table.order[0].Sequence - 1}
			for id := range a.Loaded {
				if sequence, ok := ids[id]; ok && sequence > newest.sequence {
					newest.sequence = sequence
				}
			}
		}
		out = append(out, newest.sequence)
	}
	return out
}

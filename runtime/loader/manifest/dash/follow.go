package dash

import "github.com/p2pstream/p2pstream/runtime/loader/identity"

// Numbering gives segments the ids of a viewer that has followed a rendition from some state of the MPD on: a segment keeps
// the id that it was first seen with, as long as it is listed. Source: p2p-media-loader-shaka 2.2.2, SegmentManager.
type Numbering struct {
	known map[string]identity.Numbers
}

// NewNumbering returns a numbering that has seen nothing.
func NewNumbering() *Numbering { return &Numbering{} }

// Apply numbers the segments of list, the next state of the rendition. It writes into list, so list must not be in use yet.
// Segments that newcomers number otherwise are noted, so that Judge tells of them.
func (n *Numbering) Apply(list *Playlist) {
	now := make(map[string]identity.Numbers, len(list.Segments))
	for i := range list.Segments {
		s := &list.Segments[i]
		key := s.Key()
		if ids, ok := n.known[key]; ok && ids != s.IDs {
			if ids.Counted != s.IDs.Counted {
				list.traits.moved++
			}
			s.IDs = ids
		}
		now[key] = s.IDs
	}
	n.known = now
}

// Progress is what happened between two states of one rendition.
type Progress struct {
	// Added and Removed count segments.
	Added, Removed int
	// Backwards is set if the later state ends before the earlier one: an older MPD was served.
	Backwards bool
	// Restarted is set if the states have no segment in common and the later one begins before the earlier one: the event
	// began anew, and ids name other media now.
	Restarted bool
	// Ended is set if the later state is the last one.
	Ended bool
}

// Compare tells what happened from one state of a rendition to the next.
func Compare(before, after *Playlist) Progress {
	p := Progress{Ended: after.Ended && !before.Ended}
	known := make(map[string]bool, len(before.Segments))
	for _, s := range before.Segments {
		known[s.Key()] = true
	}
	common := 0
	for _, s := range after.Segments {
		if known[s.Key()] {
			common++
		}
	}
	p.Added, p.Removed = len(after.Segments)-common, len(before.Segments)-common
	if len(before.Segments) == 0 || len(after.Segments) == 0 {
		return p
	}
	first, last := before.Segments[0], before.Segments[len(before.Segments)-1]
	p.Restarted = common == 0 && after.Segments[0].start < first.start
	p.Backwards = !p.Restarted && after.Segments[len(after.Segments)-1].start < last.start
	return p
}

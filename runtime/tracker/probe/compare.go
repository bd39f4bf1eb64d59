package probe

import (
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// maxCompared bounds how many of the newest entries of two playlists are compared.
const maxCompared = 4096

// idOf is the media sequence number of a segment. In the playlists of an MPD numbers may be those of one session alone, and
// what peers call it takes their place.
func idOf(s manifest.Segment) int64 { return s.ByNumber().ID(identity.V22) }

// pick chooses what to compare of two playlists: a number that both list, near the end, where origins still
// have what they list. Numbers under which the two have other names come first. ok is false if no number is in both;
// named tells whether the two have the same name under the number that was chosen.
func pick(a, b *manifest.Playlist) (x, y manifest.Segment, named, ok bool) {
	other := make(map[int64]manifest.Segment, min(len(b.Segments), maxCompared))
	for _, s := range newest(b.Segments) {
		if !s.Gap {
			other[idOf(s)] = s
		}
	}
	var same, differing []manifest.Segment
	list := newest(a.Segments)
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		t, both := other[idOf(s)]
		switch {
		case s.Gap || !both:
		case name(s) == name(t):
			same = append(same, s)
		default:
			differing = append(differing, s)
		}
	}
	chosen := differing
	if len(chosen) == 0 {
		chosen = same
	}
	if len(chosen) == 0 {
		return x, y, false, false
	}
	// Not the newest: it may not be there yet, or still grow.
	x = chosen[min(1, len(chosen)-1)]
	return x, other[idOf(x)], len(differing) == 0, true
}

// alone chooses what to fetch of one playlist.
func alone(p *manifest.Playlist) (manifest.Segment, bool) {
	x, _, _, ok := pick(p, p)
	return x, ok
}

func newest(list []manifest.Segment) []manifest.Segment {
	return list[max(0, len(list)-maxCompared):]
}

// name is what a segment is called, whatever it is signed with.
func name(s manifest.Segment) string {
	path, _, _ := strings.Cut(s.URL, "?")
	return manifest.Resource{URL: path, Range: s.Range}.Key()
}

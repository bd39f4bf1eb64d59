// Package index maps the segment ids that peers use to segments.
package index

import (
	"slices"
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// Index tells connections which held segment an id of a peer means, and which ids are of any use. The rendition's
// owner replaces its parts as a whole; connections only read.
type Index struct {
	held  map[identity.Generation]*atomic.Pointer[map[int64]store.Key]
	spans map[identity.Generation]*atomic.Pointer[Span]
}

// Span is the range of ids of this peer's playlist, both ends included, and of the places in it; nil before the first
// playlist.
type Span struct{ low, high, places int64 }

const (
	// idsAhead is how many segments a peer may know of before this peer does.
	idsAhead = 16
	// placesAhead is how many entries more than now a live playlist may have when it ends.
	placesAhead = 2
	// MaxUnknownIDs bounds what is kept of an announcement that arrives before the first playlist.
	MaxUnknownIDs = 4096
)

// Filter returns the ids inside the span: an id beyond the playlist is of no use and must not cost memory.
func (s *Span) Filter(ids []int64) map[int64]struct{} {
	m := make(map[int64]struct{}, min(len(ids), 64))
	for _, id := range ids {
		if !s.Contains(id) {
			continue
		}
		if s == nil && len(m) == MaxUnknownIDs {
			break
		}
		m[id] = struct{}{}
	}
	return m
}

// Contains tells whether an id is inside the span.
func (s *Span) Contains(id int64) bool {
	return s == nil || (id >= s.low && id <= s.high) || (id >= 0 && id < s.places)
}

// New returns an index in which no id means anything yet.
func New(generations []identity.Generation) *Index {
	x := &Index{
		held:  make(map[identity.Generation]*atomic.Pointer[map[int64]store.Key], len(generations)),
		spans: make(map[identity.Generation]*atomic.Pointer[Span], len(generations)),
	}
	for _, g := range generations {
		p := new(atomic.Pointer[map[int64]store.Key])
		p.Store(&map[int64]store.Key{})
		x.held[g] = p
		x.spans[g] = new(atomic.Pointer[Span])
	}
	return x
}

// SetHeld replaces the held segments of a generation, by id.
func (x *Index) SetHeld(g identity.Generation, ids map[int64]store.Key) { x.held[g].Store(&ids) }

// Held returns the key of the held segment that an id means.
func (x *Index) Held(g identity.Generation, id int64) (store.Key, bool) {
	key, ok := (*x.held[g].Load())[id]
	return key, ok
}

// Known is the span of ids of a generation; nil before the first playlist.
func (x *Index) Known(g identity.Generation) *Span { return x.spans[g].Load() }

// maxStep bounds how far apart the ids of a segment and the next one count: a segment of an hour in tenths of a second.
const maxStep = 36000

// Learn takes the ids of a playlist's segments; none changes nothing. step is how far apart the ids of a segment and the next
// one are: 1 where ids are dense. entries is how many a live playlist lists: when it
// ends, players of some generations name what is new by its place, and a peer may see the end before this peer does. While an id below
// entries may mean a segment that was listed shortly before, places are not taken.
func (x *Index) Learn(g identity.Generation, ids []int64, step int64, entries int) {
	if len(ids) == 0 {
		return
	}
	s := &Span{low: slices.Min(ids), high: slices.Max(ids) + idsAhead*min(max(step, 1), maxStep)}
	if places := int64(entries) + placesAhead; identity.RulesOf(g).Places && entries > 0 && places <= s.low {
		s.places = places
	}
	x.spans[g].Store(s)
}

package loader

import (
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// index tells connections which segment an external id means. The rendition's
// owner replaces it as a whole; connections only read.
type index struct {
	byID  map[identity.Generation]*atomic.Pointer[map[int64]store.Key]
	spans map[identity.Generation]*atomic.Pointer[span]
}

// span is the range of ids that mean something to this peer, both included.
type span struct{ low, high int64 }

const (
	// aheadOfPlaylist is how many segments a peer may know before we do.
	aheadOfPlaylist = 16
	// unknownIDs bounds what is kept of an announcement that comes before our first playlist.
	unknownIDs = 4096
)

// set keeps the ids inside the span: what a peer claims beyond the playlist is of no use and must not cost memory.
func (s *span) set(ids []int64) map[int64]struct{} {
	m := make(map[int64]struct{}, min(len(ids), 64))
	for _, id := range ids {
		if !s.has(id) {
			continue
		}
		if s == nil && len(m) == unknownIDs {
			break
		}
		m[id] = struct{}{}
	}
	return m
}

// has tells whether an id is inside the span.
func (s *span) has(id int64) bool { return s == nil || (id >= s.low && id <= s.high) }

func newIndex(generations []identity.Generation) *index {
	x := &index{
		byID:  make(map[identity.Generation]*atomic.Pointer[map[int64]store.Key], len(generations)),
		spans: make(map[identity.Generation]*atomic.Pointer[span], len(generations)),
	}
	for _, g := range generations {
		p := new(atomic.Pointer[map[int64]store.Key])
		p.Store(&map[int64]store.Key{})
		x.byID[g] = p
		x.spans[g] = new(atomic.Pointer[span])
	}
	return x
}

func (x *index) set(g identity.Generation, ids map[int64]store.Key) { x.byID[g].Store(&ids) }

func (x *index) key(g identity.Generation, id int64) (store.Key, bool) {
	key, ok := (*x.byID[g].Load())[id]
	return key, ok
}

// known is the span of ids of a generation; nil before the first playlist.
func (x *index) known(g identity.Generation) *span { return x.spans[g].Load() }

// learn takes the ids of a playlist.
func (x *index) learn(g identity.Generation, segments []*segment) {
	if len(segments) == 0 {
		return
	}
	s := &span{low: segments[0].ID(g), high: segments[0].ID(g)}
	for _, seg := range segments {
		s.low, s.high = min(s.low, seg.ID(g)), max(s.high, seg.ID(g))
	}
	s.high += aheadOfPlaylist
	x.spans[g].Store(s)
}

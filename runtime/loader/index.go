package loader

import (
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// index tells connections which segment an external id means. The rendition's
// owner replaces it as a whole; connections only read.
type index struct {
	byID map[identity.Generation]*atomic.Pointer[map[int64]store.Key]
}

func newIndex(generations []identity.Generation) *index {
	x := &index{byID: make(map[identity.Generation]*atomic.Pointer[map[int64]store.Key], len(generations))}
	for _, g := range generations {
		p := new(atomic.Pointer[map[int64]store.Key])
		p.Store(&map[int64]store.Key{})
		x.byID[g] = p
	}
	return x
}

func (x *index) set(g identity.Generation, ids map[int64]store.Key) { x.byID[g].Store(&ids) }

func (x *index) key(g identity.Generation, id int64) (store.Key, bool) {
	key, ok := (*x.byID[g].Load())[id]
	return key, ok
}

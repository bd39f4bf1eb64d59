package loader

import (
	"errors"
	"sync"
)

// transit bounds the bytes that are no whole segments: those of transfers that run, and those kept of transfers that
// failed, to be continued. The store's limit does not cover them.
type transit struct {
	limit int64

	mu      sync.Mutex
	used    int64
	refused int64
}

// leastTransit is the room beside a small store.
const leastTransit = 128 << 20

// transitOf is the room beside a store: half as much, but enough for two of the largest segments.
func transitOf(store, segment int64) *transit {
	return &transit{limit: max(store/2, leastTransit, 2*segment)}
}

// spare tells whether there is room for more transfers; those that run may use the other half.
func (t *transit) spare() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used <= t.limit/2
}

func (t *transit) stats() (used, limit, refused int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used, t.limit, t.refused
}

// errNoTransit says that a transfer was given up because there is no room for its bytes.
var errNoTransit = errors.New("too many bytes of unfinished segments")

// freight is one rendition's part of the transit. Once it is closed nothing fits, and nothing has to be given back.
type freight struct {
	t      *transit
	used   int64 // guarded by t
	closed bool  // likewise
}

// take makes room for n bytes, if there is.
func (f *freight) take(n int) bool {
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	if f.closed || f.t.used+int64(n) > f.t.limit {
		f.t.refused++
		return false
	}
	f.used += int64(n)
	f.t.used += int64(n)
	return true
}

// give gives the room of n bytes back: they have become a segment, or are gone.
func (f *freight) give(n int) {
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	if !f.closed {
		f.used -= int64(n)
		f.t.used -= int64(n)
	}
}

// close gives back what is left, for a rendition that has ended: nobody else will.
func (f *freight) close() {
	f.t.mu.Lock()
	defer f.t.mu.Unlock()
	if !f.closed {
		f.closed = true
		f.t.used -= f.used
	}
}

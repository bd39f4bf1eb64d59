// Package transit bounds the bytes in transit: those of segments that are not whole, which the store's limit does not
// cover. They belong to running transfers, or were kept of failed transfers that will be continued.
package transit

import (
	"errors"
	"sync"
)

// Budget is the room of one engine. Renditions take from it through a Share.
type Budget struct {
	limit int64

	mu      sync.Mutex
	used    int64
	refused int64
}

// MinBudget is the room beside a small store, in bytes.
const MinBudget = 128 << 20

// NewBudget returns the room beside a store of storeBytes: half as much, but enough for two segments of segmentBytes.
func NewBudget(storeBytes, segmentBytes int64) *Budget {
	return &Budget{limit: max(storeBytes/2, MinBudget, 2*segmentBytes)}
}

// Spare tells whether another transfer may start: the upper half is reserved for those that run.
func (b *Budget) Spare() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used <= b.limit/2
}

// Stats returns the bytes in use, their limit, and how many reservations were refused.
func (b *Budget) Stats() (used, limit, refused int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used, b.limit, b.refused
}

// ErrFull says that a transfer was given up because there is no room for its bytes.
var ErrFull = errors.New("too many bytes of unfinished segments")

// Share is one rendition's part of a budget. After Close nothing can be reserved, and nothing has to be released.
type Share struct {
	b      *Budget
	used   int64 // guarded by b.mu
	closed bool  // likewise
}

// Share returns a new, empty part.
func (b *Budget) Share() *Share { return &Share{b: b} }

// Reserve makes room for n bytes; false if there is none.
func (s *Share) Reserve(n int) bool {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.closed || s.b.used+int64(n) > s.b.limit {
		s.b.refused++
		return false
	}
	s.used += int64(n)
	s.b.used += int64(n)
	return true
}

// Release returns the room of n bytes: they have become a segment, or were discarded.
func (s *Share) Release(n int) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if !s.closed {
		s.used -= int64(n)
		s.b.used -= int64(n)
	}
}

// Close releases all that is left, for a rendition that has ended.
func (s *Share) Close() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.b.used -= s.used
	}
}

package store

import "container/heap"

// reservation is room for a segment that is on its way.
type reservation struct{ rank, size int64 }

// Reserve takes room for a segment before it is fetched: size is what it is expected to have, rank what it will be held
// with. false if it would not stay: what is held or reserved with the same or a higher rank leaves no room for it. Put,
// Remove and Release end a reservation; a second one of the same key replaces the first.
func (s *Store) Reserve(key Key, rank, size int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fits(key, rank, size) {
		return false
	}
	s.release(key)
	s.reserved[key] = reservation{rank, size}
	s.promised += size
	return true
}

// Release ends a reservation; a key without one is no error.
func (s *Store) Release(key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(key)
}

// fits tells whether there is room for a segment beside what ranks as high or higher; s is locked.
func (s *Store) fits(key Key, rank, size int64) bool {
	others := s.promised - s.reserved[key].size
	over := size + s.used + others - s.limit
	if over <= 0 {
		return true
	}
	if size > s.limit {
		return false
	}
	for k, r := range s.reserved {
		if k != key && r.rank < rank {
			over -= r.size
		}
	}
	return s.below(rank, over) >= over
}

func (s *Store) release(key Key) {
	s.promised -= s.reserved[key].size
	delete(s.reserved, key)
}

// Rename holds a segment under another key. false if it is not held, or the new key is.
func (s *Store) Rename(from, to Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, held := s.entries[from]
	if _, taken := s.entries[to]; !held || taken {
		return false
	}
	delete(s.entries, from)
	s.entries[to], e.key = e, to
	heap.Fix(&s.ranking, e.place)
	return true
}

package store

// reservation is room for a segment that is on its way.
type reservation struct{ rank, size int64 }

// Reserve takes room for a segment before it is fetched: size is what it is expected to have, rank what it will be held
// with. false if it would not stay: what is held or reserved with the same or a higher rank leaves no room for it. Put,
// Remove and Release end a reservation; a second one of the same key replaces the first.
func (s *Store) Reserve(key Key, rank, size int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := size
	for _, e := range s.entries {
		if e.rank >= rank {
			sum += int64(len(e.data))
		}
	}
	for k, r := range s.reserved {
		if k != key && r.rank >= rank {
			sum += r.size
		}
	}
	if sum > s.limit {
		return false
	}
	s.reserved[key] = reservation{rank, size}
	return true
}

// Release ends a reservation; a key without one is no error.
func (s *Store) Release(key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
	s.entries[to] = e
	return true
}

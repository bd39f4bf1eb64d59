package store

import (
	"cmp"
	"slices"
	"sync"
)

// Key names a segment in the store; see manifest.Segment.Key.
type Key string

// Store is a set of segments bounded in bytes. It is safe for concurrent use.
type Store struct {
	limit int64

	mu       sync.Mutex
	used     int64
	entries  map[Key]*entry
	reserved map[Key]reservation
	evicted  int64
	refused  int64
}

type entry struct {
	data []byte
	rank int64
}

// Stats describes a store at one moment.
type Stats struct {
	Segments int
	Bytes    int64 // bytes held
	Limit    int64 // bytes at most
	Evicted  int64 // segments evicted to make room, cumulative
	Refused  int64 // segments not taken because all others ranked higher, cumulative
}

// New returns a store of at most limit bytes.
func New(limit int64) *Store {
	return &Store{limit: limit, entries: make(map[Key]*entry), reserved: make(map[Key]reservation)}
}

// Put holds data under key with the given rank and returns the keys that were
// evicted for it. ok is false if there is no room: the segment is larger than
// the store, or everything held ranks at least as high. The store keeps data
// itself; the caller must not change it afterwards. The rank of a reservation
// counts if it is higher.
func (s *Store) Put(key Key, rank int64, data []byte) (evicted []Key, ok bool) {
	size := int64(len(data))
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.reserved[key]; ok {
		rank = max(rank, r.rank)
		delete(s.reserved, key)
	}
	if old, held := s.entries[key]; held {
		old.rank = rank
		return nil, true
	}
	if size > s.limit {
		s.refused++
		return nil, false
	}
	if over := s.used + size - s.limit; over > 0 {
		victims, freed := s.lowest(rank, over)
		if freed < over {
			s.refused++
			return nil, false
		}
		for _, k := range victims {
			s.remove(k)
		}
		s.evicted += int64(len(victims))
		evicted = victims
	}
	s.entries[key] = &entry{data: data, rank: rank}
	s.used += size
	return evicted, true
}

// lowest picks segments that rank below rank, the lowest first, until they
// free at least want bytes or none is left.
func (s *Store) lowest(rank, want int64) (victims []Key, freed int64) {
	type candidate struct {
		key  Key
		rank int64
	}
	var candidates []candidate
	for k, e := range s.entries {
		if e.rank < rank {
			candidates = append(candidates, candidate{k, e.rank})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.key, b.key))
	})
	for _, c := range candidates {
		if freed >= want {
			break
		}
		victims = append(victims, c.key)
		freed += int64(len(s.entries[c.key].data))
	}
	return victims, freed
}

// Get returns the bytes of a held segment. The caller must not change them.
func (s *Store) Get(key Key) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		return nil, false
	}
	return e.data, true
}

// Has tells whether the segment is held.
func (s *Store) Has(key Key) bool {
	_, ok := s.Get(key)
	return ok
}

// Rank gives a held segment a new rank; it has no effect on others.
func (s *Store) Rank(key Key, rank int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[key]; ok {
		e.rank = rank
	}
}

// Remove drops a segment and its reservation; a key that is not held is no
// error.
func (s *Store) Remove(key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reserved, key)
	s.remove(key)
}

func (s *Store) remove(key Key) {
	if e, ok := s.entries[key]; ok {
		s.used -= int64(len(e.data))
		delete(s.entries, key)
	}
}

// Stats returns the store's counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Segments: len(s.entries), Bytes: s.used, Limit: s.limit, Evicted: s.evicted, Refused: s.refused}
}

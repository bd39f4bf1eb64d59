package store

import (
	"container/heap"
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
	ranking  ranking // of the entries
	reserved map[Key]reservation
	promised int64 // bytes reserved
	evicted  int64
	refused  int64
}

type entry struct {
	key   Key
	data  []byte
	rank  int64
	place int // in the ranking
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
		s.release(key)
	}
	if old, held := s.entries[key]; held {
		s.rerank(old, rank)
		return nil, true
	}
	if size > s.limit {
		s.refused++
		return nil, false
	}
	if over := s.used + size - s.limit; over > 0 {
		if s.below(rank, over) < over {
			s.refused++
			return nil, false
		}
		for s.used+size > s.limit {
			lowest := s.ranking[0].key
			s.remove(lowest)
			evicted = append(evicted, lowest)
		}
		s.evicted += int64(len(evicted))
	}
	e := &entry{key: key, data: data, rank: rank}
	s.entries[key] = e
	heap.Push(&s.ranking, e)
	s.used += size
	return evicted, true
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
		s.rerank(e, rank)
	}
}

// Remove drops a segment and its reservation; a key that is not held is no
// error.
func (s *Store) Remove(key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(key)
	s.remove(key)
}

func (s *Store) remove(key Key) {
	if e, ok := s.entries[key]; ok {
		s.used -= int64(len(e.data))
		delete(s.entries, key)
		heap.Remove(&s.ranking, e.place)
	}
}

// Stats returns the store's counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Segments: len(s.entries), Bytes: s.used, Limit: s.limit, Evicted: s.evicted, Refused: s.refused}
}

package integrity

import (
	"maps"
	"slices"
	"time"
)

// Known is what one viewer has learned from lists. One goroutine at a time may use it.
type Known struct {
	limit  int
	swarms map[string]*knownSwarm
}

type knownSwarm struct {
	hashes map[int64]Hash
	span   Span
	heard  time.Time
}

// Bounds of a viewer's memory.
const (
	knownPerSwarm = 4096 // hashes
	knownSwarms   = 64
)

// NewKnown returns an empty memory.
func NewKnown() *Known { return &Known{limit: knownPerSwarm, swarms: make(map[string]*knownSwarm)} }

// Learn takes a list whose signature was checked.
func (k *Known) Learn(l List, now time.Time) {
	s := k.swarms[l.Swarm]
	if s == nil {
		k.makeRoom()
		s = &knownSwarm{hashes: make(map[int64]Hash)}
		k.swarms[l.Swarm] = s
	}
	s.span, s.heard = Span{l.From, l.To}, now
	for i, text := range l.Hashes {
		id := l.After + 1 + int64(i)
		// A segment that was known and is disputed now cannot be checked any more.
		if h, err := ParseHash(text); err == nil && h != (Hash{}) {
			s.hashes[id] = h
		} else {
			delete(s.hashes, id)
		}
	}
	if s.span.open() { // as the tracker forgets: the ids may come again
		maps.DeleteFunc(s.hashes, func(id int64, _ Hash) bool { return id < s.span.From })
	}
	if len(s.hashes) > k.limit {
		ids := slices.Sorted(maps.Keys(s.hashes))
		for _, id := range ids[:len(ids)-k.limit/2] {
			delete(s.hashes, id)
		}
	}
}

// makeRoom forgets the swarm that was heard of longest ago if there are too many.
func (k *Known) makeRoom() {
	if len(k.swarms) < knownSwarms {
		return
	}
	oldest := ""
	for name, s := range k.swarms {
		if o := k.swarms[oldest]; o == nil || s.heard.Before(o.heard) {
			oldest = name
		}
	}
	delete(k.swarms, oldest)
}

// Hash returns a segment's hash; false if it is not known.
func (k *Known) Hash(swarm string, id int64) (Hash, bool) {
	if s := k.swarms[swarm]; s != nil {
		h, ok := s.hashes[id]
		return h, ok
	}
	return Hash{}, false
}

// Covered tells whether a seeder vouches for a segment, as of the last list.
func (k *Known) Covered(swarm string, id int64) bool {
	s := k.swarms[swarm]
	return s != nil && s.span.Contains(id)
}

// Nothing tells whether the last list of a swarm had nothing, and no seeder vouches for anything in it.
func (k *Known) Nothing(swarm string) bool {
	s := k.swarms[swarm]
	return s != nil && len(s.hashes) == 0 && s.span.To < s.span.From
}

package store

import (
	"cmp"
	"container/heap"
)

// ranking is a heap of the entries: the one that is evicted first is at its root.
type ranking []*entry

func (r ranking) Len() int { return len(r) }

// Less is by rank, then by key, so that the order is the same each time.
func (r ranking) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(r[i].rank, r[j].rank), cmp.Compare(r[i].key, r[j].key)) < 0
}

func (r ranking) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].place, r[j].place = i, j
}

// Push appends an entry, for package heap.
func (r *ranking) Push(x any) {
	e := x.(*entry)
	e.place = len(*r)
	*r = append(*r, e)
}

// Pop removes the last entry, for package heap.
func (r *ranking) Pop() any {
	old := *r
	last := len(old) - 1
	e := old[last]
	old[last] = nil
	*r = old[:last]
	return e
}

// rerank gives an entry a new rank; s is locked.
func (s *Store) rerank(e *entry, rank int64) {
	if e.rank != rank {
		e.rank = rank
		heap.Fix(&s.ranking, e.place)
	}
}

// below is how many bytes are held that rank below rank. It stops to count at enough. Entries above others in the heap
// rank no higher, so only those that count are looked at, and what is right below them. s is locked.
func (s *Store) below(rank, enough int64) int64 {
	sum := int64(0)
	look := []int{0}
	for len(look) > 0 && sum < enough {
		i := look[len(look)-1]
		look = look[:len(look)-1]
		if i >= len(s.ranking) || s.ranking[i].rank >= rank {
			continue
		}
		sum += int64(len(s.ranking[i].data))
		look = append(look, 2*i+1, 2*i+2)
	}
	return sum
}

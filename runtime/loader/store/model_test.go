package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStoreEvictsTheLowest compares the store with one that sorts everything each time.
func TestStoreEvictsTheLowest(t *testing.T) {
	type held struct {
		key        Key
		rank, size int64
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		limit := 50 + r.Int64N(200)
		s, model := New(limit), map[Key]held{}
		used := func() (n int64) {
			for _, h := range model {
				n += h.size
			}
			return n
		}
		for range 200 {
			key, rank, size := Key(fmt.Sprint(r.IntN(40))), r.Int64N(30), 1+r.Int64N(40)
			old, known := model[key]
			switch r.IntN(4) {
			case 0:
				s.Rank(key, rank)
				if known {
					old.rank = rank
					model[key] = old
				}
				continue
			case 1:
				s.Remove(key)
				delete(model, key)
				continue
			}
			got, ok := s.Put(key, rank, make([]byte, size))
			if known {
				old.rank = rank
				model[key] = old
				continue
			}
			var all []held
			for _, h := range model {
				if h.rank < rank {
					all = append(all, h)
				}
			}
			slices.SortFunc(all, func(a, b held) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.key, b.key)) })
			var want []Key
			free := limit - used()
			for _, h := range all {
				if free >= size {
					break
				}
				free += h.size
				want = append(want, h.key)
			}
			if ok != (free >= size) || ok && !slices.Equal(got, want) {
				t.Fatalf("put %s of %d bytes with rank %d: %v, %v, want %v", key, size, rank, got, ok, want)
			}
			if ok {
				for _, k := range want {
					delete(model, k)
				}
				model[key] = held{key, rank, size}
			}
			if st := s.Stats(); st.Bytes != used() || st.Segments != len(model) || st.Bytes > limit {
				t.Fatalf("%+v, want %d bytes of %d segments", st, used(), len(model))
			}
		}
	}
}

package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

func TestPutEvictsTheLowestRankFirst(t *testing.T) {
	s := store.New(100)
	for i, key := range []store.Key{"c", "a", "b"} {
		if _, ok := s.Put(key, int64([]int{30, 10, 20}[i]), make([]byte, 30)); !ok {
			t.Fatalf("putting %s: refused", key)
		}
	}
	evicted, ok := s.Put("d", 40, make([]byte, 60))
	if !ok {
		t.Fatal("putting d: refused")
	}
	if diff := cmp.Diff([]store.Key{"a", "b"}, evicted); diff != "" {
		t.Errorf("evicted (-want +got):\n%s", diff)
	}
	if got := s.Stats(); got.Bytes != 90 || got.Segments != 2 || got.Evicted != 2 {
		t.Errorf("stats = %+v", got)
	}
}

func TestPutRefusesWhatRanksLowest(t *testing.T) {
	s := store.New(100)
	s.Put("new", 50, make([]byte, 80))
	if _, ok := s.Put("old", 10, make([]byte, 80)); ok {
		t.Error("a lower rank evicted a higher one")
	}
	if !s.Has("new") || s.Has("old") {
		t.Error("the higher rank was lost")
	}
	if _, ok := s.Put("huge", 99, make([]byte, 101)); ok {
		t.Error("took a segment larger than the store")
	}
	if got := s.Stats().Refused; got != 2 {
		t.Errorf("refused = %d, want 2", got)
	}
}

func TestPutTwiceKeepsOneCopyAndTheNewRank(t *testing.T) {
	s := store.New(100)
	s.Put("a", 1, []byte("first"))
	s.Put("a", 9, []byte("second"))
	if data, _ := s.Get("a"); string(data) != "first" {
		t.Errorf("data = %q, want the copy that readers may already hold", data)
	}
	s.Put("b", 5, make([]byte, 95))
	if _, ok := s.Put("c", 7, make([]byte, 90)); !ok || !s.Has("a") {
		t.Error("a kept its old rank")
	}
}

func TestRankAndRemove(t *testing.T) {
	s := store.New(10)
	s.Put("a", 1, make([]byte, 5))
	s.Put("b", 2, make([]byte, 5))
	s.Rank("a", 3)
	s.Rank("absent", 3)
	s.Put("c", 4, make([]byte, 5))
	if s.Has("b") || !s.Has("a") {
		t.Error("rank had no effect")
	}
	s.Remove("a")
	s.Remove("a")
	if got := s.Stats().Bytes; got != 5 {
		t.Errorf("bytes = %d, want 5", got)
	}
}

func TestConcurrentUseStaysInBounds(t *testing.T) {
	s := store.New(1000)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				key := store.Key(fmt.Sprint(w, i))
				s.Put(key, int64(i), make([]byte, 1+i%200))
				s.Get(key)
				if i%3 == 0 {
					s.Remove(key)
				}
				if got := s.Stats().Bytes; got < 0 || got > 1000 {
					t.Errorf("bytes = %d", got)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPutAtTheLimit(b *testing.B) {
	data := make([]byte, 1000)
	s := store.New(2000 * 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Put(store.Key(fmt.Sprint(i)), int64(i), data)
	}
}

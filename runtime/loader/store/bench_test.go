package store

import (
	"fmt"
	"testing"
)

// BenchmarkPutIntoFullStore puts segments into a store that holds 20,000.
func BenchmarkPutIntoFullStore(b *testing.B) {
	const segments = 20_000
	s, data := New(segments*100), make([]byte, 100)
	for i := range int64(segments) {
		s.Put(Key(fmt.Sprint(i)), i, data)
	}
	next := int64(segments)
	for b.Loop() {
		if evicted, ok := s.Put(Key(fmt.Sprint(next)), next, data); !ok || len(evicted) != 1 {
			b.Fatalf("evicted %d, %v", len(evicted), ok)
		}
		next++
	}
}

// BenchmarkReserveInFullStore asks a store that holds 20,000 segments for room.
func BenchmarkReserveInFullStore(b *testing.B) {
	const segments = 20_000
	s, data := New(segments*100), make([]byte, 100)
	for i := range int64(segments) {
		s.Put(Key(fmt.Sprint(i)), i, data)
	}
	for b.Loop() {
		if !s.Reserve("next", segments, 100) || s.Reserve("old", 0, 100) {
			b.Fatal("room is wrong")
		}
	}
}

package store_test

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

func TestReserveRefusesWhatWouldNotStay(t *testing.T) {
	s := store.New(100)
	s.Put("new", 50, make([]byte, 60))
	if !s.Reserve("old", 10, 40) {
		t.Error("no room though there is")
	}
	if s.Reserve("older", 5, 1) {
		t.Error("room that is reserved was given again")
	}
	if !s.Reserve("older", 20, 40) {
		t.Error("a lower reservation keeps a higher one out")
	}
	s.Release("older")
	s.Remove("old")
	if !s.Reserve("older", 5, 40) {
		t.Error("released room is still taken")
	}
	if !s.Reserve("older", 5, 40) {
		t.Error("a second reservation counts the first")
	}
	if !s.Reserve("newest", 60, 100) || s.Reserve("newest", 60, 101) {
		t.Error("the highest rank has the whole store")
	}
	if got := s.Stats(); got.Bytes != 60 || got.Segments != 1 {
		t.Errorf("reservations are held: %+v", got)
	}
}

func TestPutKeepsTheRankOfItsReservation(t *testing.T) {
	s := store.New(100)
	s.Put("new", 50, make([]byte, 60))
	if !s.Reserve("wanted", 40, 40) {
		t.Fatal("no room")
	}
	s.Put("wanted", 1, make([]byte, 40))
	evicted, ok := s.Put("other", 30, make([]byte, 40))
	if ok || len(evicted) > 0 {
		t.Errorf("%v were evicted for a lower rank", evicted)
	}
	if !s.Reserve("next", 45, 40) {
		t.Error("the reservation outlived its segment")
	}
}

func TestRename(t *testing.T) {
	s := store.New(100)
	s.Put("a", 1, []byte("first"))
	s.Put("b", 1, []byte("second"))
	if s.Rename("c", "d") || s.Rename("a", "b") {
		t.Error("renamed what is not held, or over what is")
	}
	if !s.Rename("a", "c") || s.Has("a") {
		t.Error("not renamed")
	}
	if data, _ := s.Get("c"); string(data) != "first" {
		t.Errorf("data = %q", data)
	}
	s.Remove("c")
	if got := s.Stats(); got.Bytes != int64(len("second")) || got.Segments != 1 {
		t.Errorf("%+v", got)
	}
}

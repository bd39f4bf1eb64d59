package core

import (
	"fmt"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// TestFilmIsFetchedAsFarAsItFits has a film of ten segments of ten bytes.
func TestFilmIsFetchedAsFarAsItFits(t *testing.T) {
	r := idle(t, 0, 0)
	var all []*Segment
	for i := range int64(10) {
		all = append(all, r.newSegment(manifest.Segment{Sequence: 100 + i}, ""))
	}
	size := func(*Segment) int64 { return 10 }
	for _, tt := range []struct {
		wanted, room int64
		want         string
	}{
		{100, 45, "[100 101 102 103]"},
		{104, 40, "[104 105 106 107]"},
		{108, 40, "[100 101 108 109]"},
		{103, 100, "[100 101 102 103 104 105 106 107 108 109]"},
		{105, -5, "[105]"},
		{110, 20, "[100 101]"},
		{1, 20, "[100 101]"},
	} {
		var got []int64
		for _, seg := range reach(all, tt.wanted, tt.room, size) {
			got = append(got, seg.Sequence)
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("from %d, %d bytes: %v, want %s", tt.wanted, tt.room, got, tt.want)
		}
	}
	if got := reach(nil, 5, 100, size); len(got) > 0 {
		t.Errorf("of nothing: %v", got)
	}
}

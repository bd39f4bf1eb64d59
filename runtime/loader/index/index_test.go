package index

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

func TestClaimsBeyondThePlaylistCostNoMemory(t *testing.T) {
	claims := make([]int64, 255*255)
	for i := range claims {
		claims[i] = int64(i)
	}
	x := New([]identity.Generation{identity.V23})
	if got := len(x.Known(identity.V23).Filter(claims)); got != MaxUnknownIDs {
		t.Errorf("kept %d ids before the first playlist, want %d", got, MaxUnknownIDs)
	}
	var ids []int64
	for i := range int64(10) {
		ids = append(ids, 1000+i)
	}
	x.Learn(identity.V23, ids, 1, 0)
	got := x.Known(identity.V23).Filter(claims)
	if len(got) != 10+idsAhead {
		t.Errorf("kept %d ids, want those of the playlist and %d more", len(got), idsAhead)
	}
	for _, id := range []int64{1000, 1009, 1009 + idsAhead} {
		if _, ok := got[id]; !ok {
			t.Errorf("lost id %d", id)
		}
	}
	x.Learn(identity.V23, nil, 1, 0)
	if x.Known(identity.V23) == nil {
		t.Error("an empty playlist made everything unknown")
	}
}

// TestThePlacesOfAPlaylistThatEndsAreKnown: a peer that has seen the end of an event names its last segment by its place,
// which this peer understands when it sees the end itself.
func TestThePlacesOfAPlaylistThatEndsAreKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		generation identity.Generation
		low        int64
		entries    int
		want       bool
	}{
		"a long event":                     {identity.V23, 100, 10, true},
		"just long enough":                 {identity.V23, 12, 10, true},
		"the id was listed a while ago":    {identity.V23, 11, 10, false},
		"not a live playlist":              {identity.V23, 100, 0, false},
		"a generation that names no place": {identity.V3, 100, 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := New([]identity.Generation{tt.generation})
			x.Learn(tt.generation, []int64{tt.low, tt.low + 1}, 1, tt.entries)
			for _, id := range []int64{0, 9} {
				if got := x.Known(tt.generation).Contains(id); got != tt.want {
					t.Errorf("id %d is known: %v, want %v", id, got, tt.want)
				}
			}
			if x.Known(tt.generation).Contains(-1) {
				t.Error("an id below zero is known")
			}
		})
	}
}

// TestTheNextSegmentsOfAnMPDAreKnown: ids that count half seconds are eight apart with segments of four seconds, and a peer
// that is ahead by some segments may say so.
func TestTheNextSegmentsOfAnMPDAreKnown(t *testing.T) {
	x := New([]identity.Generation{identity.V22})
	x.Learn(identity.V22, []int64{800, 808, 816}, 8, 0)
	for id, want := range map[int64]bool{800: true, 816: true, 816 + 8*idsAhead: true, 816 + 8*(idsAhead+1): false, 792: false} {
		if got := x.Known(identity.V22).Contains(id); got != want {
			t.Errorf("id %d is known: %v", id, got)
		}
	}
}

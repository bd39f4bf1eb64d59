package loader

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

func TestClaimsBeyondThePlaylistCostNoMemory(t *testing.T) {
	claims := make([]int64, 255*255)
	for i := range claims {
		claims[i] = int64(i)
	}
	x := newIndex([]identity.Generation{identity.V23})
	if got := len(x.known(identity.V23).set(claims)); got != unknownIDs {
		t.Errorf("kept %d ids before the first playlist, want %d", got, unknownIDs)
	}
	var segments []*segment
	for i := range int64(10) {
		segments = append(segments, &segment{Segment: manifest.Segment{Sequence: 1000 + i}})
	}
	x.learn(identity.V23, segments)
	got := x.known(identity.V23).set(claims)
	if len(got) != 10+aheadOfPlaylist {
		t.Errorf("kept %d ids, want those of the playlist and %d more", len(got), aheadOfPlaylist)
	}
	for _, id := range []int64{1000, 1009, 1009 + aheadOfPlaylist} {
		if _, ok := got[id]; !ok {
			t.Errorf("lost id %d", id)
		}
	}
	x.learn(identity.V23, nil)
	if x.known(identity.V23) == nil {
		t.Error("an empty playlist made everything unknown")
	}
}

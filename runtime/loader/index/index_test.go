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
	x.Learn(identity.V23, ids)
	got := x.Known(identity.V23).Filter(claims)
	if len(got) != 10+idsAhead {
		t.Errorf("kept %d ids, want those of the playlist and %d more", len(got), idsAhead)
	}
	for _, id := range []int64{1000, 1009, 1009 + idsAhead} {
		if _, ok := got[id]; !ok {
			t.Errorf("lost id %d", id)
		}
	}
	x.Learn(identity.V23, nil)
	if x.Known(identity.V23) == nil {
		t.Error("an empty playlist made everything unknown")
	}
}

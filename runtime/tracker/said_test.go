package tracker

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

func TestHashesOfRenditionsWithOneIdentityAreNotCompared(t *testing.T) {
	renditions := []viewerapi.Rendition{
		{Name: "240p", InfoHashes: map[string]string{"v2.2": "a", "v2.3": "b"}},
		{Name: "240p-2", InfoHashes: map[string]string{"v2.2": "c", "v2.3": "b"}},
		{Name: "360p", InfoHashes: map[string]string{"v2.2": "d"}},
	}
	said := func(infoHash string, id int64) []integrity.Hash {
		if id != 7 {
			t.Errorf("asked for %d", id)
		}
		return []integrity.Hash{integrity.Of([]byte(infoHash))}
	}
	for name, want := range map[string]string{"240p": "a", "240p-2": "c", "360p": "d"} {
		got := hashesSaid(renditions, name, manifest.Segment{Sequence: 7}, said)
		if len(got) != 1 || got[0] != integrity.Of([]byte(want)) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := hashesSaid(renditions, "720p", manifest.Segment{Sequence: 7}, said); got != nil {
		t.Errorf("of a rendition that is not known: %v", got)
	}
}

package viewerapi

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// TestTheMeshIsAskedForSeldom: many dashboards cost the swarms as much as one.
func TestTheMeshIsAskedForSeldom(t *testing.T) {
	asked := 0
	r := newRig(t, Config{Dashboard: true, RequestsPerSecond: -1})
	r.deps.Mesh = func() stats.Mesh {
		asked++
		return stats.Mesh{Peers: []stats.MeshPeer{{Kind: stats.MeshSeeder}, {Kind: stats.MeshViewer, Site: "berlin"}}, Links: [][2]int{{0, 1}}, More: asked}
	}
	for range 10 {
		w := r.do("POST", MeshPath, "", own...)
		var told stats.Mesh
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || w.Code != http.StatusOK || len(told.Peers) != 2 || told.More != 1 {
			t.Fatalf("%d %v %s", w.Code, err, w.Body)
		}
	}
	r.now = r.now.Add(meshKept)
	if r.do("GET", MeshPath, "", own...); asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	if w := r.do("GET", MeshPath, "", own...); w.Body.String() != `{"peers":[{"kind":"seeder"},{"kind":"viewer","site":"berlin"}],"links":[[0,1]],"more":2}` {
		t.Errorf("%s", w.Body)
	}
}

package viewerapi

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// MeshPath is where the dashboard reads who is connected to whom.
const MeshPath = "/v1/mesh"

// meshKept is how long an answer is used again: all swarms are looked through for it.
const meshKept = 5 * time.Second

// keptMesh is the last answer. Who asks while it is made waits for it.
type keptMesh struct {
	mu   sync.Mutex
	at   time.Time
	body []byte
}

func (h *Handler) encodedMesh() ([]byte, error) {
	h.mesh.mu.Lock()
	defer h.mesh.mu.Unlock()
	now := h.deps.Now()
	if age := now.Sub(h.mesh.at); h.mesh.body != nil && age >= 0 && age < meshKept {
		return h.mesh.body, nil
	}
	mesh := stats.Mesh{Peers: []stats.MeshPeer{}, Links: [][2]int{}}
	if h.deps.Mesh != nil {
		mesh = h.deps.Mesh()
	}
	body, err := json.Marshal(mesh)
	if err == nil {
		h.mesh.at, h.mesh.body = now, body
	}
	return body, err
}

// serveMesh answers for the mesh. There are no cross-origin headers, as for the past.
func (h *Handler) serveMesh(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		header.Set("Allow", "GET, HEAD, POST")
		h.fail(w, MeshPath, http.StatusMethodNotAllowed, "", "method not allowed; use GET or POST")
		return
	}
	body, err := h.encodedMesh()
	if err != nil { // cannot happen: a mesh can be marshaled
		h.log.Error("encoding mesh", "error", err)
		h.fail(w, MeshPath, http.StatusInternalServerError, "", "internal")
		return
	}
	h.write(w, MeshPath, http.StatusOK, body)
}

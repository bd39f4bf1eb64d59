package viewerapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// TestStrangersLearnLittle: without the seeder token, /v1/stats says what the player page shows and nothing else.
func TestStrangersLearnLittle(t *testing.T) {
	r := newRig(t, Config{})
	r.seed()
	ask := func(path string, header ...string) map[string]any {
		t.Helper()
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Header.Set("Origin", "http://page.test")
		if len(header) > 0 {
			req.Header.Set("Authorization", header[0])
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		var said map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || w.Code != http.StatusOK {
			t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
		}
		return said
	}
	for range 2 { // computed, and from the cache
		for _, header := range [][]string{{}, {"Bearer wrong"}, {"Bearer "}, {"secret"}} {
			for _, path := range []string{stats.Path, stats.Path + "?accumulate=1"} {
				said := ask(path, header...)
				var names []string
				for name := range said {
					names = append(names, name)
				}
				slices.Sort(names)
				if want := []string{"offload", "seeders", "v", "viewers", "viewersKnown"}; !slices.Equal(names, want) {
					t.Errorf("%s with %q says %v", path, header, names)
				}
				if offload := said["offload"].(map[string]any); len(offload) != 3 {
					t.Errorf("offload %v", offload)
				}
			}
		}
		// Once the tracker believes that a reader stores the totals, it acknowledges nothing before that has happened.
		if w := r.do("POST", "/v1/telemetry", report(r.session(), 1, 1000, 0)); !strings.Contains(w.Body.String(), `"http":1000`) {
			t.Errorf("a stranger is believed to store the totals: %s", w.Body)
		}
		if said := ask(stats.Path, "Bearer secret"); said["boot"] == nil || said["seederStates"] == nil {
			t.Errorf("with the token: %v", said)
		}
	}
	open := newRig(t, Config{})
	open.deps.SeederToken = func() string { return "" }
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, stats.Path, nil)
	req.Header.Set("Authorization", "Bearer ")
	if open.ServeHTTP(w, req); json.Valid(w.Body.Bytes()) && len(w.Body.Bytes()) > 300 {
		t.Errorf("an empty token is taken: %s", w.Body)
	}
}

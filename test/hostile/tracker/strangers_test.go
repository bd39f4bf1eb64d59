package tracker

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// strangers are attacks of clients that only ask.
var strangers = []attack{
	{name: "statistics for strangers", run: func(t *testing.T, s *scene) {
		client := httpClient(t, newOrigin())
		for _, token := range []string{"", "Bearer wrong", "Bearer ", "Bearer " + strings.Repeat("x", 8000)} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.HTTP("/v1/stats?accumulate=1"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if token != "" {
				req.Header.Set("Authorization", token)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			var said map[string]json.RawMessage
			if err != nil || json.Unmarshal(body, &said) != nil {
				t.Fatalf("%s: %s, %v", resp.Status, body, err)
			}
			public := []string{"offload", "seeders", "v", "viewers", "viewersKnown"}
			for name := range said {
				if !slices.Contains(public, name) {
					t.Errorf("a stranger is told %s", name)
				}
			}
		}
	}},
	{name: "a flood of requests for scripts", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		client := httpClient(t, from)
		s.counted(t, 1000, func() {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 500 {
						resp, err := client.Get(s.HTTP("/p2pstream.js"))
						if err != nil {
							continue
						}
						_, _ = io.Copy(io.Discard, resp.Body) // so that the connection is used again
						_ = resp.Body.Close()
					}
				})
			}
			all.Wait()
		}, "p2pstream_viewerapi_requests_total", `path="assets"`, `status="429"`)
		// Those that play behind the same address still get their settings.
		resp, err := client.Get(s.HTTP("/v1/config"))
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Errorf("settings: %s", resp.Status)
		}
	}},
}

package viewerapi

import (
	"net/http"
	"strings"
	"testing"
)

func TestAssetsAreLimitedAlone(t *testing.T) {
	r := newRig(t, Config{RequestsPerSecond: 1, RequestBurst: 3})
	ask := func(path string) int { return r.do("GET", path, "").Code }
	for _, path := range []string{"/player", "/vendor/hls.min.mjs", "/p2pstream.js"} {
		if code := ask(path); code != http.StatusOK {
			t.Fatalf("%s: %d", path, code)
		}
	}
	for _, path := range []string{"/player/player.js", "/p2pstream.mjs", "/vendor/none"} {
		if w := r.do("GET", path, ""); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if code := ask("/v1/config"); code != http.StatusOK {
		t.Errorf("settings: %d", code)
	}
}

// TestPlayerIsShownByAllowedPages: who may ask the tracker may show its player in a frame.
func TestPlayerIsShownByAllowedPages(t *testing.T) {
	for want, origins := range map[string][]string{
		"'self' *":                     nil,
		"'self' https://intranet.test": {"https://intranet.test"},
		"*":                            {"https://intranet.test", "*"},
	} {
		policy := newRig(t, Config{AllowedOrigins: origins}).do("GET", "/player", "").Header().Get("Content-Security-Policy")
		if !strings.HasSuffix(policy, want) {
			t.Errorf("%q: %s", origins, policy)
		}
	}
}

package viewerapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/policies"
)

// TestPolicies: the files are those of package policies, for the allowed origins and the tracker's own pages.
func TestPolicies(t *testing.T) {
	r := newRig(t, Config{Stream: "Town Hall", ExternalURL: "https://tracker.example.com/media/town-hall",
		AllowedOrigins: []string{intranet, "https://Video.test:443", "capacitor://localhost"}})
	set, err := policies.New("town-hall", []string{intranet, "https://video.test", "https://tracker.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range policies.Formats {
		w := r.do("GET", PoliciesPath+"?format="+string(format), "", "Origin", intranet)
		want := set.File(format)
		if w.Code != http.StatusOK || !slices.Equal(w.Body.Bytes(), want.Content) {
			t.Errorf("%s: %d %q", format, w.Code, w.Body)
		}
		for name, value := range map[string]string{"Content-Type": want.MediaType, "Content-Disposition": fmt.Sprintf("attachment; filename=%q", want.Name),
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s: %s is %q", format, name, got)
			}
		}
	}
	for _, path := range []string{PoliciesPath, PoliciesPath + "?format=exe", PoliciesPath + "?format=../x"} {
		if w := r.do("GET", path, "", "Origin", intranet); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "chrome-json, edge-json, reg, mobileconfig") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := r.do("POST", PoliciesPath+"?format=reg", "", "Origin", intranet); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestPoliciesNeedPages: without a list of pages there is no file, and the host of a request is no page.
func TestPoliciesNeedPages(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		says string
	}{
		"all origins":         {Config{ExternalURL: "https://tracker.example.com"}, "set allowedOrigins"},
		"a star":              {Config{AllowedOrigins: []string{"https://page.test", "*"}}, "set allowedOrigins"},
		"no origin of a page": {Config{AllowedOrigins: []string{"capacitor://localhost"}}, "there is no origin of a page"},
		"too many":            {Config{AllowedOrigins: many(policies.MaxOrigins + 1)}, "the maximum is 256"},
	} {
		w := newRig(t, c.cfg).do("GET", PoliciesPath+"?format=reg", "", "Authorization", "Bearer secret", "Host", "evil.test", "Origin", "")
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func many(n int) (origins []string) {
	for i := range n {
		origins = append(origins, fmt.Sprintf("https://h%d.test", i))
	}
	return origins
}

// TestPoliciesBehindDoors: who gets the settings gets the policies, and else only a seeder.
func TestPoliciesBehindDoors(t *testing.T) {
	r := newRig(t, Config{AllowedOrigins: []string{intranet}})
	const path = PoliciesPath + "?format=chrome-json"
	for _, tt := range []struct {
		header []string
		status int
	}{
		{[]string{"Origin", intranet}, 200}, {[]string{"Origin", "https://evil.test"}, 403}, {[]string{"Origin", ""}, 403},
		{[]string{"Origin", "", "Authorization", "Bearer secret"}, 200}, {[]string{"Origin", "", "Authorization", "Bearer other"}, 403},
	} {
		for _, path := range []string{path, configPath} {
			if w := r.do("GET", path, "", tt.header...); w.Code != tt.status {
				t.Errorf("%s with %v: %d %s", path, tt.header, w.Code, w.Body)
			}
		}
	}
	r.deps.Token = func(token string, _ time.Time) error {
		if token != "good" {
			return errors.New("another token")
		}
		return nil
	}
	for _, tt := range []struct {
		path   string
		header []string
		status int
	}{
		{path, []string{"Origin", intranet}, 401}, {path + "&token=bad", []string{"Origin", intranet}, 401}, {path + "&token=good", []string{"Origin", intranet}, 200},
		{path, []string{"Origin", intranet, "Authorization", "Bearer good"}, 200}, {path, []string{"Origin", "", "Authorization", "Bearer secret"}, 200},
	} {
		if w := r.do("GET", tt.path, "", tt.header...); w.Code != tt.status {
			t.Errorf("%s with %v: %d %s", tt.path, tt.header, w.Code, w.Body)
		}
	}
}

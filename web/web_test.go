package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// maxScript bounds the size of the reporter script in a page, in bytes.
const maxScript = 3 * 1024

func TestReporterScriptIsSmall(t *testing.T) {
	script, err := files.ReadFile("dist/p2pstream.js")
	if err != nil {
		t.Fatal(err)
	}
	if len(script) > maxScript {
		t.Fatalf("p2pstream.js has %d bytes, more than %d", len(script), maxScript)
	}
}

// maxCheck bounds the size of the part that checks segments, in bytes. Pages load it beside the first segments.
const maxCheck = 5 * 1024

func TestCheckScriptIsSmall(t *testing.T) {
	script, err := files.ReadFile("dist/p2pstream-check.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if len(script) > maxCheck {
		t.Fatalf("p2pstream-check.mjs has %d bytes, more than %d", len(script), maxCheck)
	}
}

// maxReport bounds the size of the part that sends reports, in bytes. Pages load it beside the first segments.
const maxReport = 3 * 1024

func TestReportScriptIsSmall(t *testing.T) {
	script, err := files.ReadFile("dist/p2pstream-report.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if len(script) > maxReport {
		t.Fatalf("p2pstream-report.mjs has %d bytes, more than %d", len(script), maxReport)
	}
}

func TestReporterScriptIsBuiltFromItsSource(t *testing.T) {
	for name, digest := range map[string]string{"src/p2pstream.js": "dist/source.sha256", "src/check.js": "dist/check.sha256", "src/report.js": "dist/report.sha256"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		built, err := os.ReadFile(digest)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(source)
		if hex.EncodeToString(sum[:]) != strings.TrimSpace(string(built)) {
			t.Fatalf("%s has changed since the last build; run web/build.sh", name)
		}
	}
}

func TestBundlesArePinned(t *testing.T) {
	list, err := files.ReadFile("third_party/versions.json")
	if err != nil {
		t.Fatal(err)
	}
	var bundles []struct{ Name, Version, File, License, SHA256 string }
	if err := json.Unmarshal(list, &bundles); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"versions.json": true}
	for _, b := range bundles {
		body, err := files.ReadFile("third_party/" + b.File)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != b.SHA256 {
			t.Errorf("%s does not match the checksum of %s %s", b.File, b.Name, b.Version)
		}
		if license, err := files.ReadFile("third_party/" + b.License); err != nil || len(license) < 500 {
			t.Errorf("%s has no license: %v", b.Name, err)
		}
		known[b.File], known[b.License] = true, true
	}
	entries, err := files.ReadDir("third_party")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("%s is not in versions.json", e.Name())
		}
	}
	if len(bundles) != 3 {
		t.Errorf("%d bundles", len(bundles))
	}
}

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, req)
	return w
}

func TestHandler(t *testing.T) {
	tests := []struct{ path, kind string }{
		{"/player", "text/html; charset=utf-8"},
		{"/player/player.js", "text/javascript; charset=utf-8"},
		{"/player/player.css", "text/css; charset=utf-8"},
		{"/p2pstream.js", "text/javascript; charset=utf-8"},
		{"/p2pstream.mjs", "text/javascript; charset=utf-8"},
		{"/p2pstream-report.mjs", "text/javascript; charset=utf-8"},
		{"/p2pstream-check.mjs", "text/javascript; charset=utf-8"},
		{"/vendor/hls.min.mjs", "text/javascript; charset=utf-8"},
		{"/vendor/p2p-media-loader-core.es.min.js", "text/javascript; charset=utf-8"},
		{"/vendor/hls.LICENSE", "text/plain; charset=utf-8"},
		{"/vendor/versions.json", "application/json"},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			w := get(t, tt.path)
			h := w.Header()
			if w.Code != 200 || h.Get("Content-Type") != tt.kind || h.Get("X-Content-Type-Options") != "nosniff" || w.Body.Len() == 0 {
				t.Fatalf("%d %v", w.Code, h)
			}
			if again := get(t, tt.path, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Fatalf("revalidation: %d", again.Code)
			}
			if page := strings.HasPrefix(tt.kind, "text/html"); page != (h.Get("Content-Security-Policy") != "") {
				t.Fatalf("policy %q", h.Get("Content-Security-Policy"))
			}
		})
	}
	for _, path := range []string{"/", "/player/", "/vendor/", "/vendor/../web.go", "/vendor/none.js"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
}

// TestPlayerPage checks the page against its policy: the import map is the only inline script, and all files that it refers to exist.
func TestPlayerPage(t *testing.T) {
	page := get(t, "/player").Body.Bytes()
	inline := regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllSubmatch(page, -1)
	for _, m := range inline {
		if body := bytes.TrimSpace(m[2]); len(body) > 0 && !bytes.Contains(m[1], []byte("importmap")) {
			t.Errorf("inline script %s", body)
		}
	}
	if regexp.MustCompile(`\s(on[a-z]+|style)=`).Match(page) {
		t.Error("inline handler or style")
	}
	for _, m := range regexp.MustCompile(`"(?:\./)?((?:vendor|player)/[^"]+)"`).FindAllSubmatch(page, -1) {
		if w := get(t, "/"+string(m[1])); w.Code != 200 {
			t.Errorf("%s: %d", m[1], w.Code)
		}
	}
	if policy := get(t, "/player").Header().Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
}

package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxScript bounds the size of the reporter script in a page, in bytes. With the waits for the first peers it has 4,230.
const maxScript = 4*1024 + 256

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
const maxCheck = 6 * 1024

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

// maxViewer bounds what the SDK costs a page, in bytes with gzip.
const maxViewer = 12 * 1024

func TestViewerIsSmall(t *testing.T) {
	if n := len(assets()["/p2pstream-viewer.mjs"].compressed); n == 0 || n > maxViewer {
		t.Fatalf("p2pstream-viewer.mjs has %d bytes compressed, more than %d", n, maxViewer)
	}
}

// TestScriptsAreBuiltFromTheirSources compares the sources with the digests of those that dist/ was built from. The tests
// of the npm package compare the files themselves.
func TestScriptsAreBuiltFromTheirSources(t *testing.T) {
	list, err := os.ReadFile("dist/sources.sha256")
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]string{}
	for line := range strings.Lines(string(list)) {
		digest, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		built[name] = digest
	}
	sources := 0
	for _, pattern := range []string{"src/*", "sdk/*", "player/*", "dashboard/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		sources += len(names)
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != built[name] {
				t.Errorf("%s has changed since the last build; run: cd web && npm ci && npm run build", name)
			}
		}
	}
	if sources < 5 || sources != len(built) {
		t.Errorf("dist/ was built from %d sources, and there are %d", len(built), sources)
	}
}

// TestEnginesNeedNoImportMap: the page of a customer can import the engine, and all that it imports is served.
func TestEnginesNeedNoImportMap(t *testing.T) {
	imports := regexp.MustCompile(`\bfrom\s*"([^"]*)"`)
	for _, e := range engines {
		found := imports.FindAllSubmatch(get(t, "/vendor/"+e.name).Body.Bytes(), -1)
		if len(found) == 0 {
			t.Errorf("%s imports nothing", e.name)
		}
		for _, m := range found {
			file, ok := strings.CutPrefix(string(m[1]), "./")
			if w := get(t, "/vendor/"+file); !ok || w.Code != 200 || w.Header().Get("Cache-Control") != immutable {
				t.Errorf("%s imports %q", e.name, m[1])
			}
		}
	}
}

// TestShakaIsAModule: the published script looks for exports, and else sets a global name.
func TestShakaIsAModule(t *testing.T) {
	body := get(t, "/vendor/player-shaka.mjs").Body.String()
	if !strings.HasPrefix(body, "const exports={};") || !strings.HasSuffix(body, "export default exports;\n") ||
		!strings.Contains(body, `if(typeof exports!="undefined")for(var k in exportTo.shaka)exports[k]=`) {
		t.Errorf("the module is no longer one: %.100s…", body)
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
	if len(bundles) != 7 {
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
		{"/dashboard", "text/html; charset=utf-8"},
		{"/dashboard/dashboard.js", "text/javascript; charset=utf-8"},
		{"/dashboard/dashboard.css", "text/css; charset=utf-8"},
		{"/player/player.css", "text/css; charset=utf-8"},
		{"/p2pstream-viewer.mjs", "text/javascript; charset=utf-8"},
		{"/vendor/engine-hlsjs.mjs", "text/javascript; charset=utf-8"},
		{"/vendor/engine-shaka.mjs", "text/javascript; charset=utf-8"},
		{"/vendor/player-shaka.mjs", "text/javascript; charset=utf-8"},
		{"/p2pstream.js", "text/javascript; charset=utf-8"},
		{"/p2pstream.mjs", "text/javascript; charset=utf-8"},
		{"/p2pstream-report.mjs", "text/javascript; charset=utf-8"},
		{"/p2pstream-check.mjs", "text/javascript; charset=utf-8"},
		{"/vendor/shaka-player.compiled.js", "text/javascript; charset=utf-8"},
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
	for _, path := range []string{"/", "/player/", "/dashboard/", "/dashboard/main.ts", "/vendor/", "/vendor/../web.go", "/vendor/none.js"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
}

// TestPlayerPage checks the page against its policy: nothing is inline, and all files that it refers to exist.
func TestPlayerPage(t *testing.T) {
	page := get(t, "/player").Body.Bytes()
	if regexp.MustCompile(`<script[^>]*>[^<]`).Match(page) || regexp.MustCompile(`\s(on[a-z]+|style)=`).Match(page) {
		t.Error("inline script, handler or style")
	}
	for _, m := range regexp.MustCompile(`"(?:\./)?((?:vendor|player)/[^"]+)"`).FindAllSubmatch(page, -1) {
		if w := get(t, "/"+string(m[1])); w.Code != 200 {
			t.Errorf("%s: %d", m[1], w.Code)
		}
	}
	if policy := get(t, "/player").Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
}

// TestPlayerIsShownInFrames of the pages that the tracker answers. What could end the directive is left out, and the dashboard
// is shown in none.
func TestPlayerIsShownInFrames(t *testing.T) {
	for want, origins := range map[string][]string{
		"'self'":                      nil,
		"'self' *":                    {"*"},
		"'self' https://a.test":       {"https://a.test", "https://b.test; script-src *", "https://[::1]", "javascript:x", "https://c.test/path"},
		"'self' http://a.test:8080 *": {"http://a.test:8080", "*"},
	} {
		for path, ancestors := range map[string]string{"/player": want, "/dashboard": "'self'"} {
			w := httptest.NewRecorder()
			Handler(origins...).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			policy := w.Header().Get("Content-Security-Policy")
			if _, got, _ := strings.Cut(policy, "; frame-ancestors "); got != ancestors || strings.Count(policy, "frame-ancestors") != 1 {
				t.Errorf("%s for %q: %q", path, origins, policy)
			}
		}
	}
}

func TestFilesAreCompressed(t *testing.T) {
	for path := range assets() {
		plain := get(t, path, "Accept-Encoding", "br, gzip;q=0, *;q=1")
		if plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed against the client's will", path)
		}
		w := get(t, path, "Accept-Encoding", "gzip, deflate, br")
		if w.Header().Get("Content-Encoding") != "gzip" {
			if plain.Body.Len() > 500 {
				t.Errorf("%s, of %d bytes, is not compressed", path, plain.Body.Len())
			}
			continue
		}
		if w.Body.Len() >= plain.Body.Len() || w.Header().Get("Vary") != "Accept-Encoding" || plain.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d of %d bytes, %v", path, w.Body.Len(), plain.Body.Len(), w.Header())
		}
		r, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
			t.Errorf("%s is another file when it is compressed: %v", path, err)
		}
		tag := w.Header().Get("ETag")
		if tag == plain.Header().Get("ETag") {
			t.Errorf("%s: one tag for both representations", path)
		}
		if again := get(t, path, "Accept-Encoding", "gzip", "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: revalidation %d", path, again.Code)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "gzip": true, "br;q=1.0, gzip;q=0.8": true, "GZIP ; q=0.5": true, "gzip;q=0": false, "*": true, "*;q=0": false,
		"identity": false, "br": false, "gzip;q=x": false, "gzip;q=0, *": false, "x-gzip": true, ",,;": false,
	} {
		if got := acceptsGzip([]string{value}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// TestNamedContentIsCachedForever: a URL that names the content need not be asked for again, any other is.
func TestNamedContentIsCachedForever(t *testing.T) {
	for path, a := range assets() {
		caching := func(query string) string { return get(t, path+query).Header().Get("Cache-Control") }
		want := immutable
		if a.policy != "" {
			want = revalidated // a page names the files, and nothing names the page
		}
		if got := caching("?h=" + a.hash); got != want {
			t.Errorf("%s, by its hash: %s", path, got)
		}
		for _, query := range []string{"", "?h=", "?h=AAAAAAAAAAAAAAAA"} {
			if got := caching(query); got != revalidated {
				t.Errorf("%s%s: %s", path, query, got)
			}
		}
	}
	page := get(t, "/player").Body.String()
	for _, name := range []string{"player/player.js", "player/player.css"} {
		if !strings.Contains(page, name+"?h="+assets()["/"+name].hash+`"`) {
			t.Errorf("the page does not name the content of %s", name)
		}
	}
	script := get(t, "/player/player.js").Body.String()
	for _, name := range []string{"hls.min.mjs", "engine-hlsjs.mjs", "player-shaka.mjs", "engine-shaka.mjs"} {
		if !strings.Contains(script, `"../vendor/`+name+`?h=`+assets()["/vendor/"+name].hash+`"`) {
			t.Errorf("the script does not name the content of %s", name)
		}
	}
}

// TestEachEngineGetsItsCore: the two plug-ins need different versions of one package.
func TestEachEngineGetsItsCore(t *testing.T) {
	for name, core := range map[string]string{"hlsjs": "p2p-media-loader-core.es.min.js", "shaka": "p2p-media-loader-core-2.2.2.es.min.js"} {
		if body := get(t, "/vendor/engine-"+name+".mjs").Body.String(); !strings.Contains(body, `from"./`+core+`?h=`) {
			t.Errorf("the engine for %s does not import %s", name, core)
		}
	}
}

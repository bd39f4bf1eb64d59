package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// FuzzRequest asks a proxy that has no stream for anything: it answers at once, and nothing is fetched or kept.
func FuzzRequest(f *testing.F) {
	cfg := Config{}
	cfg.Source = "http://127.0.0.1:1/m.m3u8"
	s, err := New(cfg, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.end)
	f.Add("/", "localhost", "")
	f.Add("/p/abcd/../x/index.m3u8", "127.0.0.1:8080", "bytes=0-")
	f.Add("/p/abcd//%2e%2e", "[::1]", "bytes=-1,0-0")
	f.Add("/p/ABCD/x/y", "evil.example", "")
	f.Fuzz(func(t *testing.T, path, host, span string) {
		if !strings.HasPrefix(path, "/") || path == "/master.m3u8" || path == "/manifest.mpd" {
			return // no request line; waits for the stream
		}
		if parts := strings.Split(path, "/"); (len(parts) == 5 || len(parts) == 4) && parts[1] == "p" && isPlayer(parts[2]) {
			return // likewise
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.Host = path, host
		r.Header.Set("Range", span)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if code := w.Code; code != http.StatusOK && code != http.StatusNotFound && code != http.StatusForbidden {
			t.Errorf("%q of %q: %d", path, host, code)
		}
		if w.Code == http.StatusOK && path != "/" {
			t.Errorf("%q is served", path)
		}
		if playing, _ := s.players.count(); playing != 0 {
			t.Errorf("%q made a player", path)
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add("17-0123.ts", "bytes=0-9", "http://h/a.b/c.TS?x#y")
	f.Add("-1-x", "bytes=9-0", "")
	f.Fuzz(func(t *testing.T, name, span, url string) {
		if n, ok := sequenceOf(name); ok && n < 0 {
			t.Errorf("%q is segment %d", name, n)
		}
		if from, to, ok := closedRange(span); ok && (from < 0 || to < from) {
			t.Errorf("%q is %d to %d", span, from, to)
		}
		if ext := extension(url); len(ext) > 6 || strings.ContainsAny(ext, "/?#%\\ \r\n") {
			t.Errorf("%q ends as %q", url, ext)
		}
	})
}

// TestResourcesInFlightAreBounded asks for more while as much as may be is being fetched: what there was must do.
func TestResourcesInFlightAreBounded(t *testing.T) {
	c := newResources(t.Context(), 1<<20)
	for i := range maxFetches {
		c.fetches[string(rune('a'+i))] = &resourceFetch{done: make(chan struct{})}
	}
	if _, err := c.get(t.Context(), nil, reference("http://h/key")); err == nil || explain("a key", err).status != http.StatusServiceUnavailable {
		t.Errorf("got %v", err)
	}
	c.held["http://h/init"] = c.order.PushBack(&resource{key: "http://h/init", data: []byte("old"), at: time.Now().Add(-time.Hour)})
	if data, err := c.get(t.Context(), nil, reference("http://h/init")); string(data) != "old" || err != nil {
		t.Errorf("got %q, %v", data, err)
	}
}

func reference(url string) manifest.Reference {
	return manifest.Reference{Kind: manifest.RefInit, Resource: manifest.Resource{URL: url}}
}

package manifest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

var signedRendition = Rendition{Name: "720p", Stream: identity.Stream{Type: identity.Main, URI: "https://h/v.m3u8?exp=1", ShortID: "id"}}

func keysOf(t *testing.T, r Rendition, lines ...string) []string {
	t.Helper()
	p, err := ParseMedia(mediaText(lines...), "https://h/v.m3u8", r)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range p.Segments {
		keys = append(keys, s.Key())
	}
	return keys
}

// TestKeysOfSignedSegments loads one playlist twice, with another signature.
func TestKeysOfSignedSegments(t *testing.T) {
	signed := func(r Rendition, from int, uris ...string) []string {
		lines := []string{fmt.Sprintf("#EXT-X-MEDIA-SEQUENCE:%d", from)}
		for _, uri := range uris {
			lines = append(lines, "#EXTINF:4,", uri)
		}
		return keysOf(t, r, lines...)
	}
	other := func(change func(*Rendition)) Rendition {
		r := signedRendition
		change(&r)
		return r
	}
	later := other(func(r *Rendition) { r.URI = "https://h/v.m3u8?exp=2" })
	paths := other(func(r *Rendition) { r.paths = []string{"/t/*/"} })
	for _, c := range []struct {
		name string
		a, b []string // keys
		same bool
	}{
		{"another signature", signed(signedRendition, 5, "a.ts?sig=1"), signed(signedRendition, 5, "a.ts?sig=2"), true},
		{"of the playlist too", signed(signedRendition, 5, "a.ts?sig=1"), signed(later, 5, "a.ts?sig=2"), true},
		{"no query is a name", signed(signedRendition, 5, "a.ts"), []string{"https://h/a.ts"}, true},
		{"a loop without query is one name", signed(signedRendition, 5, "a.ts"), signed(signedRendition, 9, "a.ts"), true},
		{"the query is the name", signed(signedRendition, 5, "a.ts?n=5"), signed(signedRendition, 6, "a.ts?n=6"), false},
		{"another rendition", signed(signedRendition, 5, "a.ts?q=720"), signed(other(func(r *Rendition) { r.ShortID, r.Name = "other", "1080p" }), 5, "a.ts?q=1080"), false},
		{"another rendition of one identity", signed(signedRendition, 5, "a.ts?q=1"), signed(other(func(r *Rendition) { r.Name = "720p-2" }), 5, "a.ts?q=2"), false},
		{"a rendition without identity", signed(Rendition{}, 5, "a.ts?sig=1"), []string{"https://h/a.ts?sig=1"}, true},
		{"another path", signed(signedRendition, 5, "/t/1/a.ts"), signed(signedRendition, 5, "/t/2/a.ts"), false},
		{"another path, configured", signed(paths, 5, "/t/1/a.ts"), signed(paths, 5, "/t/2/a.ts"), true},
		{"another path and query, configured", signed(paths, 5, "/t/1/a.ts?x"), signed(paths, 5, "/t/2/a.ts?y"), true},
		{"another name behind it", signed(paths, 5, "/t/1/a.ts"), signed(paths, 5, "/t/2/b.ts"), false},
	} {
		if same := c.a[0] == c.b[0]; same != c.same {
			t.Errorf("%s: %s and %s", c.name, c.a[0], c.b[0])
		}
	}
	ranges := keysOf(t, signedRendition, "#EXTINF:4,", "#EXT-X-BYTERANGE:5@0", "a.mp4?s=1", "#EXTINF:4,", "#EXT-X-BYTERANGE:5", "a.mp4?s=1")
	if len(ranges) != 2 || ranges[0] == ranges[1] {
		t.Errorf("ranges: %q", ranges)
	}
}

// TestSignaturesDoNotChangeIDs: browsers know segments by their whole URLs.
func TestSignaturesDoNotChangeIDs(t *testing.T) {
	numbering := NewNumbering()
	for i, text := range []string{
		"#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na.ts?s=1\n#EXTINF:4,\nb.ts?s=1",
		"#EXT-X-MEDIA-SEQUENCE:8\n#EXTINF:4,\nb.ts?s=2\n#EXTINF:4,\nc.ts?s=2\n#EXT-X-ENDLIST",
	} {
		p, err := ParseMedia(mediaText(text), "https://h/v.m3u8", signedRendition)
		if err != nil {
			t.Fatal(err)
		}
		numbering.Apply(p)
		// To a browser all segments of the last playlist are new, and then it counts by place.
		for at, s := range p.Segments {
			if want := []int64{int64(7 + at), int64(at)}[i]; s.ID(identity.V23) != want {
				t.Errorf("load %d: %s has id %d, want %d", i, s.URL, s.ID(identity.V23), want)
			}
		}
	}
}

func TestRewrittenSegmentsHaveTheirKeys(t *testing.T) {
	text := mediaText("#EXT-X-MEDIA-SEQUENCE:5", "#EXTINF:4,", "a.ts?sig=1", "#EXTINF:4,", "b.ts")
	p, err := ParseMedia(text, "https://h/v.m3u8", signedRendition)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	if _, err := RewriteMedia(text, "https://h/v.m3u8", signedRendition, func(r Reference) string {
		keys = append(keys, r.Key())
		return "x"
	}); err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || keys[0] != p.Segments[0].Key() || keys[1] != p.Segments[1].Key() {
		t.Errorf("%q, and segments %+v", keys, p.Segments)
	}
}

// TestConfiguredPathsReachTheKeys loads through a source, as the engine does.
func TestConfiguredPathsReachTheKeys(t *testing.T) {
	token := 0
	s := newSource(t, SourceConfig{URL: "https://h/m.m3u8", SignedPaths: []string{"/t/*/"}, Transport: fake(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, "m.m3u8") {
			return answer(200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n"), nil
		}
		token++
		return answer(200, fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n/t/%d/a.ts?sig=%d\n", token, token)), nil
	})})
	p, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for range 2 {
		list, err := s.LoadPlaylist(t.Context(), p.Renditions[0])
		if err != nil {
			t.Fatal(err)
		}
		keys[list.Segments[0].Key()] = true
	}
	if len(keys) != 1 || len(p.Renditions[0].paths) != 1 {
		t.Errorf("keys %v", keys)
	}
}

func TestSignedPaths(t *testing.T) {
	for _, c := range []struct{ url, pattern, want string }{
		{"https://h/t/abc/v/1.ts", "/t/*/", "https://h/t/*/v/1.ts"},
		{"https://h/t/abc/x/d/v/1.ts", "/t/*/x/*/", "https://h/t/*/x/*/v/1.ts"},
		{"https://h/hdnts=abc/1.ts", "/hdnts=*/", "https://h/hdnts=*/1.ts"},
		{"https://h/t//1.ts", "/t/*/", ""},
		{"https://h/t/1.ts", "/t/*/", ""},
		{"https://h/u/abc/1.ts", "/t/*/", ""},
		{"https://h", "/t/*/", ""},
		{"data:,x", "/t/*/", ""},
	} {
		got, ok := withoutPrefix(c.url, c.pattern)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s with %s: %q, %v", c.url, c.pattern, got, ok)
		}
	}
	for _, patterns := range [][]string{{"t/*/"}, {"/t/"}, {""}, make([]string, validate.MaxSignedPaths+1)} {
		if _, err := NewSource(SourceConfig{URL: base, SignedPaths: patterns}); err == nil {
			t.Errorf("%q: no error", patterns)
		}
	}
}

func FuzzNames(f *testing.F) {
	f.Add("https://h/t/abc/1.ts?x#y", "/t/*/", int64(3))
	f.Fuzz(func(t *testing.T, url, pattern string, sequence int64) {
		r := signedRendition
		r.paths = []string{pattern}
		n := newNamer(r)
		if once, twice := n.name(url, nil, sequence), n.name(url, nil, sequence+1); once != "" && once == twice {
			t.Errorf("two segments have the key %q", once)
		}
	})
}

package players

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
)

// resource is a URL, or the range of it that a Range header would name.
type resource struct{ url, span string }

func (r resource) get(t *testing.T) []byte {
	t.Helper()
	want, headers := http.StatusOK, []string(nil)
	if r.span != "" {
		want, headers = http.StatusPartialContent, []string{"Range: bytes=" + r.span}
	}
	status, body := get(t, r.url, headers...)
	if status != want {
		t.Fatalf("%s %s: status %d: %.200s", r.url, r.span, status, body)
	}
	return body
}

// media is what a media playlist names.
type media struct {
	segments map[int64]resource // by media sequence
	inits    []resource
	ended    bool
}

// readMultivariant returns the playlists that a multivariant playlist names, in
// its order.
func readMultivariant(t *testing.T, at string) []string {
	t.Helper()
	var out []string
	for _, line := range lines(t, at) {
		if strings.HasPrefix(line, "#EXT-X-MEDIA:") {
			if _, rest, ok := strings.Cut(line, `URI="`); ok {
				uri, _, _ := strings.Cut(rest, `"`)
				out = append(out, resolve(t, at, uri))
			}
		} else if line[0] != '#' {
			out = append(out, resolve(t, at, line))
		}
	}
	return out
}

// readMedia reads a media playlist in the way of a simple player.
func readMedia(t *testing.T, at string) media {
	t.Helper()
	m := media{segments: map[int64]resource{}}
	sequence, span := int64(0), ""
	for _, line := range lines(t, at) {
		tag, value, _ := strings.Cut(line, ":")
		switch {
		case tag == "#EXT-X-MEDIA-SEQUENCE":
			sequence = lab.Must[int64](t)(strconv.ParseInt(value, 10, 64))
		case tag == "#EXT-X-BYTERANGE":
			span = spanOf(t, value)
		case tag == "#EXT-X-ENDLIST":
			m.ended = true
		case tag == "#EXT-X-MAP":
			_, rest, _ := strings.Cut(value, `URI="`)
			uri, rest, _ := strings.Cut(rest, `"`)
			init := resource{url: resolve(t, at, uri)}
			if _, text, ok := strings.Cut(rest, `BYTERANGE="`); ok {
				init.span = spanOf(t, strings.TrimSuffix(text, `"`))
			}
			m.inits = append(m.inits, init)
		case line[0] != '#':
			m.segments[sequence] = resource{resolve(t, at, line), span}
			sequence++
			span = ""
		}
	}
	return m
}

func lines(t *testing.T, at string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(string(resource{url: at}.get(t))) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func resolve(t *testing.T, base, ref string) string {
	t.Helper()
	return lab.Must[*url.URL](t)(lab.Must[*url.URL](t)(url.Parse(base)).Parse(ref)).String()
}

// spanOf turns length@offset into first-last.
func spanOf(t *testing.T, text string) string {
	t.Helper()
	length, offset, _ := strings.Cut(text, "@")
	n, from := lab.Must[int64](t)(strconv.ParseInt(length, 10, 64)), lab.Must[int64](t)(strconv.ParseInt(offset, 10, 64))
	return strconv.FormatInt(from, 10) + "-" + strconv.FormatInt(from+n-1, 10)
}

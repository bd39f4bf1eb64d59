package manifest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names stands for a server of rewritten playlists: every name begins with
// prefix and says which URI it replaces.
type names struct {
	given map[string]Reference
}

const prefix = "PROXY/"

func (n *names) name(r Reference) string {
	if n.given == nil {
		n.given = map[string]Reference{}
	}
	name := fmt.Sprintf("%s%s/%d", prefix, [...]string{"playlist", "segment", "file", "init", "key", "data"}[r.Kind], len(n.given))
	n.given[name] = r
	return name
}

// TestRewriteGolden holds whole playlists, and what each name stands for,
// against files. P2PSTREAM_UPDATE_GOLDEN=1 writes them anew.
func TestRewriteGolden(t *testing.T) {
	for _, name := range []string{"multivariant", "media", "lowlatency", "iframes", "windows"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "rewrite", name+".m3u8"))
			if err != nil {
				t.Fatal(err)
			}
			n := &names{}
			const from = "https://origin.example.com/show/v1/index.m3u8?token=a%20b"
			var got []byte
			if name == "multivariant" {
				got, err = RewriteMultivariant(text, from, n.name)
			} else {
				got, err = RewriteMedia(text, from, Rendition{variables: map[string]string{"token": "a b"}}, n.name)
			}
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			b.Write(got)
			b.WriteString("\n-- names --\n")
			for i := range len(n.given) {
				for name, r := range n.given {
					if strings.HasSuffix(name, fmt.Sprintf("/%d", i)) {
						_, _ = fmt.Fprintf(&b, "%s %d %s\n", name, r.Sequence, r.Resource.Key())
					}
				}
			}
			golden := filepath.Join("testdata", "rewrite", name+".golden")
			if os.Getenv("P2PSTREAM_UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("differs from %s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// TestRewriteNamesWhatTheEngineKnows makes sure that each segment of a playlist
// is named by the key under which the engine holds it.
func TestRewriteNamesWhatTheEngineKnows(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "rewrite", "media.m3u8"))
	if err != nil {
		t.Fatal(err)
	}
	r := Rendition{variables: map[string]string{"token": "1"}}
	p, err := ParseMedia(text, base, r)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if _, err := RewriteMedia(text, base, r, func(r Reference) string {
		if r.Kind == RefSegment {
			got = append(got, fmt.Sprint(r.Sequence, " ", r.Resource.Key()))
		}
		return "x"
	}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range p.Segments {
		want = append(want, fmt.Sprint(s.Sequence, " ", s.Key()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRewriteRefuses(t *testing.T) {
	long := "#EXT-X-FOO:" + strings.Repeat("a", maxLineBytes)
	cases := map[string]struct {
		text  string
		multi bool
		want  Reason
	}{
		"no playlist":                      {"<html>", true, ReasonNotPlaylist},
		"no media playlist":                {"<html>", false, ReasonNotPlaylist},
		"NUL, at which ffmpeg ends a line": {"#EXTM3U\n#EXT-X-FOO\x00http://evil/\n", true, ReasonInvalid},
		"the same in a media playlist":     {"#EXTM3U\n#EXT-X-FOO\x00http://evil/\n", false, ReasonInvalid},
		"a line without end":               {"#EXTM3U\n" + long, true, ReasonTooLarge},
		"the same, in a media playlist":    {"#EXTM3U\n" + long, false, ReasonTooLarge},
		"an unknown variable":              {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{$no}\n", true, ReasonInvalid},
		"an unknown variable in a tag":     {"#EXTM3U\n#EXT-X-SESSION-DATA:URI=\"{$no}\"\n", true, ReasonInvalid},
		"a missing query parameter":        {"#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"no\"\n", true, ReasonInvalid},
		"a value that no attribute holds":  {"#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"q\"\n", true, ReasonInvalid},
		"a map without URI":                {"#EXTM3U\n#EXT-X-MAP:BYTERANGE=\"1@0\"\n", false, ReasonInvalid},
		"an empty range":                   {"#EXTM3U\n#EXT-X-MAP:URI=\"a\",BYTERANGE=\"0@0\"\n", false, ReasonInvalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n := &names{}
			var err error
			const from = "https://h/a/m.m3u8?q=%22%0A%22"
			if c.multi {
				_, err = RewriteMultivariant([]byte(c.text), from, n.name)
			} else {
				_, err = RewriteMedia([]byte(c.text), from, Rendition{}, n.name)
			}
			if ReasonOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// FuzzRewrite holds every rewritten playlist to the promise: no URI in it leads
// anywhere but to a name that was given.
func FuzzRewrite(f *testing.F) {
	for _, name := range []string{"multivariant", "media", "lowlatency", "iframes", "windows"} {
		text, err := os.ReadFile(filepath.Join("testdata", "rewrite", name+".m3u8"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"#EXT-X-MAP:URI=\"a\"x,URI=\"http://evil/\"", "#EXT-X-KEY:URI=http://evil/,METHOD=AES-128", "#EXT-X-KEY:METHOD=A,uri=\"http://evil\"",
		"#FOO #EXT-X-MEDIA:URI=\"http://evil/\"", " http://evil/\r#EXTM3U\r\nhttp://evil/", "\ufeffhttp://evil/\n\xa0http://evil/",
		"#EXT-X-DEFINE:NAME=\"a\",VALUE=\"http://evil/\"\n#EXTINF:1,\n{$a}", "data:text/plain,x", "#EXT-X-MAP:URI=\"data:,http://evil/\"",
		"#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"file:///etc/passwd\"", "#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"skd://http://evil/\"",
		"#EXT-X-CONTENT-STEERING:SERVER-URI=\"http://evil/\"", "#EXT-X-PART:URI=\"http://evil/\"", "#EXT-X-MEDIA:A=\"\"\",URI=\"http://evil/\"",
	} {
		f.Add([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + text + "\n"))
		f.Add([]byte("#EXTM3U\n" + text + "\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		const from = "https://origin.example.com/v/m.m3u8?q=1"
		n := &names{}
		if out, err := RewriteMultivariant(text, from, n.name); err == nil {
			contained(t, out, n, false)
		} else if ReasonOf(err) == "" {
			t.Errorf("error without reason: %v", err)
		}
		n = &names{}
		out, err := RewriteMedia(text, from, Rendition{}, n.name)
		if err != nil {
			if ReasonOf(err) == "" {
				t.Errorf("error without reason: %v", err)
			}
			return
		}
		contained(t, out, n, true)
		if p, err := ParseMedia(text, from, Rendition{}); err == nil {
			again, err := ParseMedia(out, "https://proxy/m.m3u8", Rendition{})
			if err != nil {
				t.Fatalf("what was a playlist is none any more: %v\n%q", err, out)
			}
			if again.Entries != p.Entries || again.MediaSequence != p.MediaSequence || again.Ended != p.Ended || again.Window != p.Window {
				t.Errorf("%d entries from %d on, want %d from %d", again.Entries, again.MediaSequence, p.Entries, p.MediaSequence)
			}
		}
	})
}

// contained reads a playlist as strictly as RFC 8216 says, apart from the code
// under test, and looks where its URIs lead.
func contained(t *testing.T, text []byte, n *names, media bool) {
	t.Helper()
	ours := func(uri string) bool { _, ok := n.given[uri]; return ok }
	for _, line := range strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimLeft(line, " \t\v\f\u00a0\ufeff")
		if line == "" {
			continue
		}
		if line[0] != '#' {
			if !ours(line) && (!media || !strings.HasPrefix(strings.ToLower(line), "data:")) {
				t.Errorf("line %q leads elsewhere", line)
			}
			continue
		}
		tag, value, _ := strings.Cut(line, ":")
		switch tag {
		case "#EXT-X-CONTENT-STEERING", "#EXT-X-PART", "#EXT-X-PRELOAD-HINT", "#EXT-X-RENDITION-REPORT":
			t.Errorf("%q should be gone", line)
		case "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-IMAGE-STREAM-INF", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY", "#EXT-X-KEY", "#EXT-X-MAP":
			for name, uri := range strictAttributes(t, value) {
				if !strings.EqualFold(name, "URI") || ours(uri) {
					continue
				}
				scheme, _, _ := strings.Cut(strings.ToLower(uri), ":")
				harmless := scheme == "data" || (strings.HasSuffix(tag, "-KEY") && scheme != uri && !strings.ContainsAny(scheme, "/?#") &&
					scheme != "http" && scheme != "https" && scheme != "file" && scheme != "ftp")
				if !harmless {
					t.Errorf("%q leads to %q", line, uri)
				}
			}
		}
	}
}

// strictAttributes reads an attribute list by the grammar of RFC 8216 §4.2.
func strictAttributes(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for rest := text; rest != ""; {
		name, after, ok := strings.Cut(rest, "=")
		if !ok || name == "" || strings.ContainsAny(name, "\",") {
			t.Fatalf("attribute list %q is none at %q", text, rest)
		}
		var value string
		if inner, quoted := strings.CutPrefix(after, `"`); quoted {
			if value, after, ok = strings.Cut(inner, `"`); !ok {
				t.Fatalf("attribute list %q: a quote is open", text)
			}
			if after != "" && after[0] != ',' {
				t.Fatalf("attribute list %q: %q behind a quoted value", text, after)
			}
			rest = strings.TrimPrefix(after, ",")
		} else {
			value, rest, _ = strings.Cut(after, ",")
			if strings.ContainsRune(value, '"') {
				t.Fatalf("attribute list %q: a quote inside %q", text, value)
			}
		}
		out[name] = value
	}
	return out
}

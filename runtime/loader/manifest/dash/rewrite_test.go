package dash

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	rewrittenBase     = "http://127.0.0.1:8080/p/abcdef/"
	rewrittenLocation = rewrittenBase + "manifest.mpd"
)

// found is what a URL of a rewritten MPD stands for.
func found(t *testing.T, w *Rewritten, url string) (Target, bool) {
	t.Helper()
	path, ok := strings.CutPrefix(url, rewrittenBase)
	dir, file, ok2 := strings.Cut(path, "/")
	if !ok || !ok2 {
		t.Errorf("%s leads around the server", url)
		return Target{}, false
	}
	target, ok := w.Find(dir, file)
	if !ok {
		t.Errorf("%s stands for nothing", url)
	}
	return target, ok
}

// TestRewrittenIsTheSame rewrites each state of each case: a player finds the same renditions and segments in it, under names
// that stand for the origin's URLs.
func TestRewrittenIsTheSame(t *testing.T) {
	rewritten := 0
	for _, c := range testCases(t) {
		for i := range c.Steps {
			p, _, err := c.load(t, i)
			if err != nil {
				continue
			}
			t.Run(c.Steps[i].File, func(t *testing.T) {
				w, err := p.Rewrite(rewrittenBase, rewrittenLocation)
				if ReasonOf(err) == ReasonUnsupported {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				rewritten++
				p, lists, err := c.loadText(early.ReplaceAll(c.mpd(t, i), nil), c.Steps[i].Now)
				if err != nil {
					t.Fatal(err)
				}
				checkRewritten(t, c, p, lists, w, c.Steps[i].Now)
			})
		}
	}
	if rewritten < 50 {
		t.Errorf("only %d states were rewritten", rewritten)
	}
}

// early matches what offers segments before they are whole, which a server of whole segments does not.
var early = regexp.MustCompile(` availabilityTime(Offset|Complete)="[^"]*"`)

func checkRewritten(t *testing.T, c testCase, p *Presentation, lists map[string]*Playlist, w *Rewritten, now time.Time) {
	t.Helper()
	got, err := Parse(w.Text, "http://127.0.0.1:8080/manifest.mpd")
	if err != nil {
		t.Fatalf("%v\n%s", err, w.Text)
	}
	if len(got.Renditions) != len(p.Renditions) || got.Dynamic != p.Dynamic || got.LowLatency {
		t.Fatalf("%d renditions, want %d\n%s", len(got.Renditions), len(p.Renditions), w.Text)
	}
	if want := []string{rewrittenLocation}; p.Dynamic && !slices.Equal(got.Reload, want) {
		t.Errorf("reloaded from %v", got.Reload)
	}
	for i, r := range got.Renditions {
		want := p.Renditions[i]
		if r.Name != want.Name || r.ShortID != want.ShortID || r.Position != want.Position || r.Encrypted != want.Encrypted {
			t.Errorf("rendition %+v, want %+v", r.Stream, want.Stream)
		}
		indexes := map[string][]byte{}
		for _, index := range r.Indexes {
			if target, ok := found(t, w, index.URL); ok {
				if spec, ok := c.Sidx[target.Resource.URL]; ok {
					indexes[index.Key()] = spec.box()
				}
			}
		}
		list, err := got.Playlist(r, now, indexes)
		if err != nil {
			t.Fatalf("%s: %v\n%s", r.Name, err, w.Text)
		}
		standFor(t, w, want, list.Segments, lists[want.Name].Segments)
	}
}

func standFor(t *testing.T, w *Rewritten, r Rendition, got, want []Segment) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d segments, want %d", r.Name, len(got), len(want))
		return
	}
	for i, s := range got {
		o := want[i]
		if s.IDs != o.IDs || s.Start != o.Start || s.Duration != o.Duration || s.Period != o.Period || !s.Available.Equal(o.Available) {
			t.Errorf("%s: segment %+v, want %+v", r.Name, s, o)
		}
		target, ok := found(t, w, s.URL)
		if !ok {
			return
		}
		if s.Range != nil {
			target.Resource.Range = s.Range
		}
		if target.Resource.Key() != o.Key() || target.Kind == TargetOther || (target.Kind == TargetFile) != (s.Range != nil) {
			t.Errorf("%s: %s stands for %+v, want %s", r.Name, s.URL, target, o.Key())
		}
		if target.Rendition == "" || target.Audio != (r.Kind == kindAudio) {
			t.Errorf("%s: %s is of rendition %q", r.Name, s.URL, target.Rendition)
		}
		if (s.Init == nil) != (o.Init == nil) {
			t.Errorf("%s: initialization %v, want %v", r.Name, s.Init, o.Init)
		}
		if s.Init == nil {
			continue
		}
		if target, ok = found(t, w, s.Init.URL); ok {
			if s.Init.Range != nil {
				target.Resource.Range = s.Init.Range
			}
			if target.Resource.Key() != o.Init.Key() {
				t.Errorf("%s: %s stands for %s, want %s", r.Name, s.Init.URL, target.Resource.Key(), o.Init.Key())
			}
		}
	}
}

// TestRewrittenGolden has the texts of one MPD of each kind.
func TestRewrittenGolden(t *testing.T) {
	for _, name := range []string{"live-number.1.mpd", "live-timeline.1.mpd", "live-low-latency.mpd", "vod-list-ranges.mpd", "vod-base.mpd", "vod-protected.mpd",
		"vod-content-steering.mpd", "live-clocks.mpd", "vod-text.mpd", "live-patch.mpd"} {
		body, err := os.ReadFile(filepath.Join("testdata", "mpd", name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(body, "https://origin.example.com/show/"+name+"?token=secret")
		if err != nil {
			t.Fatal(err)
		}
		w, err := p.Rewrite(rewrittenBase, rewrittenLocation)
		if err != nil {
			t.Fatal(err)
		}
		got := bytes.ReplaceAll(w.Text, []byte("><"), []byte(">\n<"))
		file := filepath.Join("testdata", "rewritten", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if bytes.Contains(w.Text, []byte("secret")) {
			t.Errorf("%s tells the token of the origin", name)
		}
	}
}

// TestNamesThatNobodyGave stand for nothing.
func TestNamesThatNobodyGave(t *testing.T) {
	body, err := os.ReadFile(filepath.Join("testdata", "mpd", "live-number.1.mpd"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(body, "https://origin.example.com/live.mpd")
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.Rewrite(rewrittenBase, rewrittenLocation)
	if err != nil {
		t.Fatal(err)
	}
	dir := slices.Sorted(maps.Keys(w.directories))[0]
	if _, ok := w.Find(dir, "segment-17.m4s"); !ok {
		t.Error("segment 17 is not known")
	}
	for _, file := range []string{"", "segment", "segment-", "segment--1.m4s", "segment-017.m4s", "segment-1-2.m4s", "segment-1e3.m4s", "segment-../x",
		"segment-999999999999999999999.m4s", "segment-0x10.m4s", "file.mp4", "index", "manifest.mpd", "segment-1?x=2"} {
		if target, ok := w.Find(dir, file); ok {
			t.Errorf("%q stands for %+v", file, target)
		}
	}
	if _, ok := w.Find("none", "segment-17.m4s"); ok {
		t.Error("a directory that does not exist")
	}
}

// FuzzRewrite rewrites any MPD that can be read: what comes out can be read too, and leads nowhere else.
func FuzzRewrite(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "mpd", "*.mpd"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, "segment-5.m4s")
	}
	f.Fuzz(func(t *testing.T, body []byte, file string) {
		p, err := Parse(body, "https://origin.example.com/show/live.mpd")
		if err != nil {
			return
		}
		w, err := p.Rewrite(rewrittenBase, rewrittenLocation)
		if err != nil {
			return
		}
		again, err := Parse(w.Text, "http://127.0.0.1:8080/manifest.mpd")
		if err != nil {
			t.Fatalf("%v\n%s", err, w.Text)
		}
		for _, period := range again.periods {
			for _, set := range period.sets {
				for _, r := range set.tracks {
					for _, base := range r.base {
						if !strings.HasPrefix(base, rewrittenBase) {
							t.Errorf("leads to %s", base)
						}
					}
				}
			}
		}
		for name := range w.directories {
			w.Find(name, file)
		}
	})
}

package dash

import (
	"testing"
	"time"
)

// FuzzParse checks that no MPD makes a panic, that all that is listed is in order and within bounds, and that the same MPD
// gives the same result twice.
func FuzzParse(f *testing.F) {
	for _, c := range testCases(f) {
		for i := range c.Steps {
			f.Add(c.mpd(f, i), c.Steps[i].Now.Unix())
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, now int64) {
		p, err := Parse(body, "https://cdn.example/show/manifest.mpd?token=secret")
		if err != nil {
			if ReasonOf(err) == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		lists := map[string]*Playlist{}
		for _, r := range p.Renditions {
			if lists[r.Name] != nil {
				t.Fatalf("two renditions %q", r.Name)
			}
			list, err := p.Playlist(r, time.Unix(now, 0), nil)
			if err != nil {
				if ReasonOf(err) == "" {
					t.Fatalf("an error without a reason: %v", err)
				}
				continue
			}
			lists[r.Name] = list
			checkPlaylist(t, list)
		}
		again, err := Parse(body, p.URL)
		if err != nil || len(again.Renditions) != len(p.Renditions) {
			t.Fatalf("the second time: %v", err)
		}
		for i, r := range p.Renditions {
			if other := again.Renditions[i]; other.Name != r.Name || other.Position != r.Position || other.ShortID != r.ShortID {
				t.Fatalf("%+v is %+v the second time", r, other)
			}
		}
		if Judge(p, lists) != Judge(again, lists) {
			t.Fatal("another verdict the second time")
		}
	})
}

func checkPlaylist(t *testing.T, list *Playlist) {
	t.Helper()
	if len(list.Segments) > maxSegments || list.Entries < int64(len(list.Segments))+list.Omitted {
		t.Fatalf("%d segments of %d entries without %d", len(list.Segments), list.Entries, list.Omitted)
	}
	for _, s := range list.Segments {
		switch {
		case len(s.URL) > 4*maxURLBytes || s.URL == "":
			t.Fatalf("a URL of %d bytes", len(s.URL))
		case s.Range != nil && (s.Range.Length <= 0 || s.Range.Offset < 0):
			t.Fatalf("range %+v", *s.Range)
		}
	}
}

// FuzzParseIndex checks that no index makes a panic and that the ranges it gives follow each other.
func FuzzParseIndex(f *testing.F) {
	for _, c := range testCases(f) {
		for _, spec := range c.Sidx {
			f.Add(spec.box(), int64(spec.At))
		}
	}
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, data []byte, offset int64) {
		references, err := ParseIndex(data, offset)
		if err != nil {
			if ReasonOf(err) == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		at := offset
		for _, r := range references {
			if r.Range.Length <= 0 || r.Range.Offset < at || r.Range.Offset > maxInteger {
				t.Fatalf("range %+v behind %d", r.Range, at)
			}
			at = r.Range.Offset + r.Range.Length
			if r.End < r.Start {
				t.Fatalf("from %v to %v", r.Start, r.End)
			}
		}
	})
}

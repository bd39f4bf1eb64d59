package dash

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// These types are what test/interop/identity/dash.cjs writes into testdata/shaka.json.
type ShakaResource struct {
	URIs  []string  `json:"uris"`
	Range *[2]int64 `json:"range"`
}

type shakaReference struct {
	ShakaResource
	ID    int64           `json:"externalId"`
	Start float64         `json:"start"`
	End   json.RawMessage `json:"end"`
	Init  *ShakaResource  `json:"init"`
}

type shakaStream struct {
	Type       identity.StreamType `json:"type"`
	Index      int                 `json:"index"`
	Variant    float64             `json:"variantBandwidth"`
	Kind       string              `json:"kind"`
	OriginalID string              `json:"originalId"`
	Codecs     string              `json:"codecs"`
	MimeType   string              `json:"mimeType"`
	Bandwidth  int64               `json:"bandwidth"`
	Width      float64             `json:"width"`
	Height     float64             `json:"height"`
	FrameRate  float64             `json:"frameRate"`
	HDR        string              `json:"hdr"`
	Language   string              `json:"language"`
	Label      string              `json:"label"`
	Channels   int                 `json:"channels"`
	References []shakaReference    `json:"references"`
}

type shakaState struct {
	Error   string        `json:"error"`
	Live    bool          `json:"live"`
	Streams []shakaStream `json:"streams"`
}

type shakaResult struct {
	Alone, Followed []shakaState
	// Played is how many segments the plug-in knows of each stream after a player has taken those that it plays; an object
	// with an error in the place of a list is left out.
	Played []json.RawMessage
}

func shakaResults(t *testing.T) map[string]shakaResult {
	t.Helper()
	var file struct{ Results map[string]shakaResult }
	readJSON(t, "shaka.json", &file)
	return file.Results
}

// TestLikeShaka compares renditions, numbers and segments with what the real player and the real plug-in make of the same
// MPDs at the same times.
func TestLikeShaka(t *testing.T) {
	results := shakaResults(t)
	compared := 0
	for _, c := range testCases(t) {
		if c.Differs != "" && c.Name != "vod-content-steering" {
			continue
		}
		want, ok := results[c.Name]
		if !ok {
			t.Fatalf("no result of %s: run test/interop/identity/dash.cjs", c.Name)
		}
		for i := range c.Steps {
			t.Run(fmt.Sprintf("%s/%d", c.Name, i), func(t *testing.T) { compareState(t, c, i, want.Alone[i]) })
			compared++
		}
	}
	if compared < 60 {
		t.Errorf("only %d states were compared", compared)
	}
}

func compareState(t *testing.T, c testCase, step int, want shakaState) {
	p, lists, err := c.load(t, step)
	if (err != nil) != (want.Error != "" || len(want.Streams) == 0) {
		t.Fatalf("error %v, the player says %q", err, want.Error)
	}
	if err != nil {
		return
	}
	if p.Live != want.Live || len(p.Renditions) != len(want.Streams) {
		t.Fatalf("live %v and %d renditions, want %v and %d", p.Live, len(p.Renditions), want.Live, len(want.Streams))
	}
	for _, s := range want.Streams {
		r := renditionOf(t, p, s)
		if diff := cmp.Diff(s, describe(r), cmp.FilterPath(func(p cmp.Path) bool {
			name := p.Last().String()
			return name == ".References" || name == ".Variant"
		}, cmp.Ignore())); diff != "" {
			t.Errorf("%s %d: %s", s.Type, s.Index, diff)
		}
		compareSegments(t, r.Name, s.References, lists[r.Name])
	}
}

func renditionOf(t *testing.T, p *Presentation, s shakaStream) Rendition {
	t.Helper()
	for _, r := range p.Renditions {
		if r.Type == s.Type && r.Position == s.Index {
			return r
		}
	}
	t.Fatalf("there is no %s rendition %d", s.Type, s.Index)
	return Rendition{}
}

func describe(r Rendition) shakaStream {
	parts := &track{matches: r.parts}
	var width, height float64
	if r.Resolution != "" {
		_, _ = fmt.Sscanf(r.Resolution, "%fx%f", &width, &height)
	}
	return shakaStream{
		Type: r.Type, Index: r.Position, Kind: r.Kind, OriginalID: parts.originalID(), Codecs: r.Codecs, MimeType: r.MimeType,
		Bandwidth: r.Bandwidth, Width: width, Height: height, FrameRate: r.FrameRate, HDR: r.VideoRange,
		Language: r.Language, Label: r.Label, Channels: r.Channels,
	}
}

func compareSegments(t *testing.T, name string, want []shakaReference, list *Playlist) {
	t.Helper()
	if list.traits.parts {
		return // the player has no URL of them
	}
	seen := map[string]bool{}
	var unique []shakaReference
	for _, r := range want {
		key := fmt.Sprint(r.URIs, r.Range)
		if !seen[key] {
			unique = append(unique, r)
		}
		seen[key] = true
	}
	if len(unique) != len(list.Segments) || int64(len(want)) != list.Entries {
		t.Errorf("%s: %d segments of %d entries, want %d of %d", name, len(list.Segments), list.Entries, len(unique), len(want))
		return
	}
	for i, w := range unique {
		s := list.Segments[i]
		got := shakaReference{ID: s.IDs.Counted, Start: s.start, ShakaResource: resourceOf(s.URL, s.Alternatives, s.Range), End: w.End}
		if s.Init != nil {
			init := resourceOf(s.Init.URL, nil, s.Init.Range)
			got.Init = &init
		}
		if w.Init != nil {
			w.Init.URIs = w.Init.URIs[:1]
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s, segment %d: %s", name, i, diff)
		}
		if end := fmt.Sprintf("%q", "Infinity"); math.IsInf(s.end, 1) != (string(w.End) == end) {
			t.Errorf("%s, segment %d ends at %v, want %s", name, i, s.end, w.End)
		} else if !math.IsInf(s.end, 1) {
			var end float64
			if err := json.Unmarshal(w.End, &end); err != nil || end != s.end {
				t.Errorf("%s, segment %d ends at %v, want %v", name, i, s.end, end)
			}
		}
	}
}

func resourceOf(url string, more []string, part *ByteRange) ShakaResource {
	r := ShakaResource{URIs: append([]string{url}, more...)}
	if part != nil {
		r.Range = &[2]int64{part.Offset, part.Offset + part.Length - 1}
	}
	return r
}

// TestNumbersStay checks that a player that follows an MPD gives a segment the number that one gives it which has just
// opened the MPD.
func TestNumbersStay(t *testing.T) {
	followed := 0
	for name, result := range shakaResults(t) {
		for i, state := range result.Followed {
			for _, s := range state.Streams {
				numbers := map[string]int64{}
				for _, r := range s.References {
					numbers[fmt.Sprint(r.URIs, r.Range)] = r.ID
				}
				for _, other := range result.Alone[i].Streams {
					if other.Type != s.Type || other.Index != s.Index {
						continue
					}
					for _, r := range other.References {
						if id, ok := numbers[fmt.Sprint(r.URIs, r.Range)]; ok && id != r.ID {
							t.Errorf("%s, state %d: %v is %d for one and %d for the other", name, i, r.URIs, id, r.ID)
						}
						followed++
					}
				}
			}
		}
	}
	if followed < 50 {
		t.Errorf("only %d segments were compared", followed)
	}
}

// TestVerdictLikePlugin checks that no MPD is called peerable of which the plug-in does not get to see all segments.
func TestVerdictLikePlugin(t *testing.T) {
	results := shakaResults(t)
	unseen := 0
	for _, c := range testCases(t) {
		if c.Differs != "" {
			continue
		}
		p, lists, err := c.load(t, 0)
		if err != nil {
			continue
		}
		var streams []struct{ Taken, Known int }
		if err := json.Unmarshal(results[c.Name].Played[0], &streams); err != nil {
			continue // the player fails when it plays
		}
		for i, s := range streams {
			r := renditionOf(t, p, results[c.Name].Alone[0].Streams[i])
			all := len(lists[r.Name].Segments)
			if s.Taken == 0 || s.Known >= all {
				continue // where nothing is to be played, nothing is seen
			}
			unseen++
			if v := Judge(p, lists); v.Peerable {
				t.Errorf("%s is called peerable, and the plug-in knows %d of %d segments of %s", c.Name, s.Known, all, r.Name)
			}
		}
	}
	if unseen == 0 {
		t.Error("the plug-in knows all segments of all cases")
	}
}

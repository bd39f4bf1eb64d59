package manifest

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// TestOddPlaylistsLikeHLSJS compares with what the real hls.js and the real
// engine made of unusual playlists (test/interop/identity/check.cjs --golden).
func TestOddPlaylistsLikeHLSJS(t *testing.T) {
	type stream struct {
		Type      identity.StreamType `json:"type"`
		RuntimeID string              `json:"runtimeId"`
		ShortID   string              `json:"streamShortId"`
	}
	type segment struct {
		ExternalID int64  `json:"externalId"`
		RuntimeID  string `json:"runtimeId"`
	}
	var golden struct {
		Manifests []struct {
			ID, URL, Playlist string
			Expected          struct {
				Error   string
				Streams []stream
			}
		}
		Media []struct {
			ID, URL  string
			Texts    []string
			Expected []struct {
				Error    string
				Live     bool
				Segments []segment
			}
		}
	}
	b, err := os.ReadFile("testdata/hlsjs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for _, c := range golden.Manifests {
		t.Run("manifest/"+c.ID, func(t *testing.T) {
			_, err := ParseMultivariant([]byte(c.Playlist), c.URL)
			if (err != nil) != (c.Expected.Error != "") {
				t.Fatalf("error %v, reference says %q", err, c.Expected.Error)
			}
			if err != nil {
				return
			}
			m, _, err := scanMultivariant(c.Playlist, c.URL)
			if err != nil {
				t.Fatal(err)
			}
			var got []stream
			for _, s := range identity.HLSStreams(m) {
				got = append(got, stream{s.Type, s.URI, s.ShortID})
			}
			if diff := cmp.Diff(c.Expected.Streams, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, c := range golden.Media {
		t.Run("media/"+c.ID, func(t *testing.T) {
			numbering := NewNumbering()
			for i, text := range c.Texts {
				want := c.Expected[i]
				p, err := ParseMedia([]byte(text), c.URL, Rendition{})
				if (err != nil) != (want.Error != "") {
					t.Fatalf("load %d: error %v, reference says %q", i, err, want.Error)
				}
				if err != nil {
					return
				}
				numbering.Apply(p)
				got := make([]segment, 0, len(p.Segments))
				for _, s := range p.Segments {
					got = append(got, segment{s.ID(identity.V23), s.Key()})
				}
				// The engine keeps known segments in the order of their first load.
				byID := func(a, b segment) int { return strings.Compare(a.RuntimeID, b.RuntimeID) }
				slices.SortFunc(want.Segments, byID)
				slices.SortFunc(got, byID)
				if diff := cmp.Diff(want.Segments, got); diff != "" || p.Live != want.Live {
					t.Errorf("load %d: live %v, %s", i, p.Live, diff)
				}
			}
		})
	}
}

// TestBrowserURLs compares with the URL class of a JavaScript engine.
func TestBrowserURLs(t *testing.T) {
	var golden struct {
		URLs     [][2]*string
		Resolved [][3]*string
	}
	b, err := os.ReadFile("testdata/hlsjs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.URLs) == 0 || len(golden.Resolved) == 0 {
		t.Fatal("no cases")
	}
	check := func(name, got string, err error, want *string) {
		t.Helper()
		if (err != nil) != (want == nil) || (want != nil && got != *want) {
			w := "an error"
			if want != nil {
				w = *want
			}
			t.Errorf("%s: got %q, %v; want %s", name, got, err, w)
		}
	}
	for _, c := range golden.URLs {
		got, err := browserURL(*c[0])
		check(*c[0], got, err, c[1])
	}
	for _, c := range golden.Resolved {
		got, err := browserResolve(*c[0], *c[1])
		check(*c[1]+" from "+*c[0], got, err, c[2])
	}
}

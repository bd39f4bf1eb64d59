package manifest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

var updateCorpus = flag.Bool("update", false, "write testdata/corpus.golden anew")

// corpusCase is a manifest of HLS with its media playlists, and what two players and their plug-ins make of it. The MPDs of
// the corpus are in dash/testdata. Both are made by test/interop/identity.
type corpusCase struct {
	ID, About, URL string
	Files          map[string][]string
	Steps          int
	Differs        struct{ HLS, Shaka string }
	HLS            struct {
		Error, SwarmID string
		Streams        []struct {
			Type    identity.StreamType
			URL, ID string
			States  []struct {
				Error    string
				Live     bool
				Segments []corpusSegment
			}
		}
	}
	Shaka []struct {
		Error   string
		Live    bool
		Streams []struct {
			Type     identity.StreamType
			Index    int
			URL      string
			Segments []struct {
				ExternalID int64
				URL        string
				ByteRange  *struct{ Start, End int64 }
			}
		}
	}
}

type corpusSegment struct {
	ExternalID int64
	Key        string
}

func corpus(t *testing.T) []corpusCase {
	t.Helper()
	b, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []corpusCase }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Cases) < 55 {
		t.Fatalf("only %d cases", len(all.Cases))
	}
	return all.Cases
}

func (c corpusCase) text(url string, step int) []byte {
	texts := c.Files[url]
	return []byte(texts[min(step, len(texts)-1)])
}

// playlists are the states of a rendition as one sees them that follows it, or why the first state that cannot be read is not.
func (c corpusCase) playlists(r Rendition) (all []*Playlist, err error) {
	numbering, live := NewNumbering(), false
	for step := range c.Steps {
		p, err := ParseMedia(c.text(r.URI, step), r.URI, r)
		if err != nil {
			return all, err
		}
		live = live || p.Live
		p.Live = live // as a follower says
		numbering.Apply(p)
		all = append(all, p)
	}
	return all, nil
}

// TestCorpusLikeHLSJS compares renditions and numbers of V23 with what hls.js and its plug-in make of the same playlists.
func TestCorpusLikeHLSJS(t *testing.T) {
	compared := 0
	for _, c := range corpus(t) {
		if c.Differs.HLS != "" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			p, err := ParseMultivariant(c.text(c.URL, 0), c.URL)
			if (err != nil) != (c.HLS.Error != "") {
				t.Fatalf("error %v, the player says %q", err, c.HLS.Error)
			}
			if compared++; err != nil {
				return
			}
			if p.DefaultSwarmID != c.HLS.SwarmID {
				t.Errorf("swarm id %q, want %q", p.DefaultSwarmID, c.HLS.SwarmID)
			}
			if len(p.Renditions) != len(c.HLS.Streams) {
				t.Fatalf("%d renditions, want %d", len(p.Renditions), len(c.HLS.Streams))
			}
			for i, want := range c.HLS.Streams {
				r := p.Renditions[i]
				if r.Type != want.Type || r.URI != want.URL || r.ShortID != want.ID {
					t.Errorf("rendition %d is %s %s %s, want %+v", i, r.Type, r.URI, r.ShortID, want)
				}
				lists, err := c.playlists(r)
				for step, state := range want.States {
					if (step >= len(lists)) != (state.Error != "") {
						t.Fatalf("%s, state %d: error %v, the player says %q", r.Name, step, err, state.Error)
					}
					if state.Error != "" {
						break
					}
					got := make([]corpusSegment, 0, len(lists[step].Segments))
					for _, s := range lists[step].Segments {
						got = append(got, corpusSegment{s.ID(identity.V23), s.runtimeID()})
					}
					byKey := func(a, b corpusSegment) int { return strings.Compare(a.Key, b.Key) }
					slices.SortFunc(got, byKey) // the engine keeps segments in the order in which it met them
					slices.SortFunc(state.Segments, byKey)
					if diff := cmp.Diff(state.Segments, got); diff != "" {
						t.Errorf("%s, state %d: %s", r.Name, step, diff)
					}
				}
			}
		})
	}
	if compared < 45 {
		t.Errorf("only %d cases were compared", compared)
	}
}

// readable tells whether the first state of all playlists can be read and lists something.
func (c corpusCase) readable(p *Presentation) bool {
	for _, r := range p.Renditions {
		if list, err := ParseMedia(c.text(r.URI, 0), r.URI, r); err != nil || len(list.Segments) == 0 {
			return false
		}
	}
	return true
}

// TestCorpusLikeShaka compares renditions and numbers of V22 with what Shaka Player and its plug-in make of the same
// playlists.
func TestCorpusLikeShaka(t *testing.T) {
	compared := 0
	for _, c := range corpus(t) {
		if c.Differs.Shaka != "" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			p, err := ParseMultivariant(c.text(c.URL, 0), c.URL)
			if compared++; c.Shaka[0].Error != "" || len(c.Shaka[0].Streams) == 0 {
				if err == nil && c.readable(p) {
					t.Errorf("no error, and the player says %q", c.Shaka[0].Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Renditions) != len(c.Shaka[0].Streams) {
				t.Fatalf("%d renditions, want %d", len(p.Renditions), len(c.Shaka[0].Streams))
			}
			for step, state := range c.Shaka {
				if state.Error != "" {
					t.Fatalf("state %d: the player says %s", step, state.Error)
				}
				for _, want := range state.Streams {
					at := slices.IndexFunc(p.Renditions, func(r Rendition) bool { return r.Type == want.Type && r.Position == want.Index })
					if at < 0 {
						t.Fatalf("there is no %s rendition %d", want.Type, want.Index)
					}
					lists, err := c.playlists(p.Renditions[at])
					if err != nil {
						t.Fatal(err)
					}
					ids := map[string]int64{}
					for _, s := range lists[step].Segments {
						ids[s.runtimeID()] = s.ID(identity.V22)
					}
					known := 0
					for _, s := range want.Segments {
						key := s.URL
						if s.ByteRange != nil {
							key = fmt.Sprintf("%s|%d-%d", s.URL, s.ByteRange.Start, s.ByteRange.End)
						}
						if id, ok := ids[key]; ok {
							if known++; id != s.ExternalID {
								t.Errorf("%s, state %d: %s is %d, want %d", p.Renditions[at].Name, step, key, id, s.ExternalID)
							}
						}
					}
					// Of a playlist that only grows the plug-in forgets as many segments as come, and it does not look at one
					// again that has ended.
					if all := !lists[step].Growing() && (step == 0 || !lists[step].Ended); known == 0 || (all && known != len(ids)) {
						t.Errorf("%s, state %d: the plug-in knows %d of %d segments", p.Renditions[at].Name, step, known, len(ids))
					}
				}
			}
		})
	}
	if compared < 35 {
		t.Errorf("only %d cases were compared", compared)
	}
}

// corpusGolden is what this package makes of the last state of a case.
type corpusGolden struct {
	ID         string            `json:"id"`
	Error      string            `json:"error,omitempty"`
	Renditions []corpusRendition `json:"renditions,omitempty"`
	Verdict    *Verdict          `json:"verdict,omitempty"`
}

type corpusRendition struct {
	Name string   `json:"name"`
	Keys []string `json:"keys"` // of each generation, "-" if it does not share the rendition
	// IDs are those of the first and the last segment in each generation.
	IDs     [][2]int64 `json:"ids,omitempty"`
	Entries int        `json:"entries"`
	Error   string     `json:"error,omitempty"`
}

// TestCorpus compares what this package makes of each playlist with testdata/corpus.golden: renditions, ids, and whether
// peers can share it.
func TestCorpus(t *testing.T) {
	var got bytes.Buffer
	reasons := map[string]bool{}
	for _, c := range corpus(t) {
		g := corpusGolden{ID: c.ID}
		p, err := ParseMultivariant(c.text(c.URL, 0), c.URL)
		if err != nil {
			g.Error = err.Error()
		} else {
			evidence := Evidence{Playlists: map[string]*Playlist{}}
			for _, r := range p.Renditions {
				one := corpusRendition{Name: r.Name}
				for _, gen := range identity.Generations() {
					key := r.Key(gen)
					if key == "" {
						key = "-"
					}
					one.Keys = append(one.Keys, key)
				}
				lists, err := c.playlists(r)
				if err != nil {
					one.Error = err.Error()
				} else {
					last := lists[len(lists)-1]
					evidence.Playlists[r.Name], one.Entries = last, last.Entries
					for _, gen := range identity.Generations() {
						if n := len(last.Segments); n > 0 {
							one.IDs = append(one.IDs, [2]int64{last.Segments[0].ID(gen), last.Segments[n-1].ID(gen)})
						}
					}
				}
				g.Renditions = append(g.Renditions, one)
			}
			v := Judge(p, evidence)
			g.Verdict = &v
			reasons[v.Reason] = true
		}
		line, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(line, '\n'))
	}
	const file = "testdata/corpus.golden"
	if *updateCorpus {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Error(diff)
	}
	for _, reason := range []string{Peerable, LowLatencyPartsOnly, LiveWindowTooShort, UnknownCodecs, DeltaUpdates, BlockingReload, UnusualDuration, SameIdentity} {
		if !reasons[reason] {
			t.Errorf("no case is %s", reason)
		}
	}
}

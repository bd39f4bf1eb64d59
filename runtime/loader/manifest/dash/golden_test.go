package dash

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

var update = flag.Bool("update", false, "write testdata/golden.json anew")

// golden is what this package makes of one state of a case.
type golden struct {
	Name         string            `json:"name"`
	Error        string            `json:"error,omitempty"`
	Dynamic      bool              `json:"dynamic,omitempty"`
	Live         bool              `json:"live,omitempty"`
	SwarmID      string            `json:"swarmId,omitempty"`
	Reload       []string          `json:"reload,omitempty"`
	Patches      []string          `json:"patches,omitempty"`
	Update       string            `json:"minimumUpdate,omitempty"`
	Duration     string            `json:"duration,omitempty"`
	Clocks       []Clock           `json:"clocks,omitempty"`
	Renditions   []goldenRendition `json:"renditions,omitempty"`
	Others       []Track           `json:"others,omitempty"`
	Verdict      *Verdict          `json:"verdict,omitempty"`
	PlaylistFail string            `json:"playlistError,omitempty"`
}

type goldenRendition struct {
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Type       string         `json:"type"`
	Position   int            `json:"position"`
	ShortID    string         `json:"shortId"`
	Written    string         `json:"written,omitempty"`
	Bandwidth  int64          `json:"bandwidth"`
	Resolution string         `json:"resolution,omitempty"`
	Language   string         `json:"language"`
	Label      string         `json:"label,omitempty"`
	Roles      []string       `json:"roles,omitempty"`
	Encrypted  bool           `json:"encrypted,omitempty"`
	Indexes    []string       `json:"indexes,omitempty"`
	Entries    int64          `json:"entries"`
	Omitted    int64          `json:"omitted,omitempty"`
	Window     string         `json:"window"`
	Segments   []goldenNumber `json:"segments"`
}

// goldenNumber is a segment; of many, the first two and the last one are in the file.
type goldenNumber struct {
	ID        int64  `json:"id"`
	Written   int64  `json:"written"`
	Key       string `json:"key"`
	Start     string `json:"start"`
	Duration  string `json:"duration"`
	Init      string `json:"init,omitempty"`
	Available string `json:"available,omitempty"`
	Period    string `json:"period,omitempty"`
}

// TestGolden compares with testdata/golden.json what this package makes of each state of each case.
func TestGolden(t *testing.T) {
	var got bytes.Buffer
	for _, c := range testCases(t) {
		for i := range c.Steps {
			line, err := json.Marshal(c.golden(t, i))
			if err != nil {
				t.Fatal(err)
			}
			got.Write(line)
			got.WriteByte('\n')
		}
	}
	file := filepath.Join("testdata", "golden.json")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := bytes.Split(want, []byte("\n")), bytes.Split(got.Bytes(), []byte("\n"))
	if len(wantLines) != len(gotLines) {
		t.Fatalf("%d states, want %d", len(gotLines), len(wantLines))
	}
	for i := range gotLines {
		if !bytes.Equal(wantLines[i], gotLines[i]) {
			t.Errorf("got  %s\nwant %s", gotLines[i], wantLines[i])
		}
	}
}

func (c testCase) golden(t *testing.T, step int) golden {
	t.Helper()
	g := golden{Name: c.Steps[step].File}
	p, lists, err := c.load(t, step)
	if p == nil {
		g.Error = err.Error()
		return g
	}
	g.Dynamic, g.Live, g.SwarmID, g.Reload, g.Patches = p.Dynamic, p.Live, p.DefaultSwarmID, p.Reload, p.Patches
	g.Update, g.Duration, g.Clocks, g.Others = p.MinimumUpdate.String(), p.Duration.String(), p.Clocks, p.Others
	if err != nil {
		g.PlaylistFail = err.Error()
	}
	for _, r := range p.Renditions {
		g.Renditions = append(g.Renditions, goldenOf(r, lists[r.Name]))
	}
	v := Judge(p, lists)
	g.Verdict = &v
	return g
}

func goldenOf(r Rendition, list *Playlist) goldenRendition {
	g := goldenRendition{
		Name: r.Name, Kind: r.Kind, Type: string(r.Type), Position: r.Position, ShortID: r.ShortID, Written: r.Key(identity.V3), Bandwidth: r.Bandwidth,
		Resolution: r.Resolution, Language: r.Language, Label: r.Label, Roles: r.Roles, Encrypted: r.Encrypted,
	}
	for _, index := range r.Indexes {
		g.Indexes = append(g.Indexes, index.Key())
	}
	if list == nil {
		return g
	}
	g.Entries, g.Omitted, g.Window = list.Entries, list.Omitted, list.Window.String()
	for i, s := range list.Segments {
		if i > 1 && i < len(list.Segments)-1 {
			continue
		}
		n := goldenNumber{ID: s.IDs.Counted, Written: s.IDs.Written, Key: s.Key(), Start: s.Start.String(), Duration: s.Duration.String(), Period: s.Period}
		if s.Init != nil {
			n.Init = s.Init.Key()
		}
		if !s.Available.IsZero() {
			n.Available = s.Available.Format(time.RFC3339Nano)
		}
		g.Segments = append(g.Segments, n)
	}
	return g
}

package dash

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testCase is one MPD of testdata/cases.json in one or more states.
type testCase struct {
	Name, About, URL, Differs string
	Endless                   bool
	Steps                     []struct {
		File string
		Now  time.Time
	}
	Sidx map[string]indexSpec
}

// indexSpec describes a file with a segment index at one place. Sizes and durations are those of its segments.
type indexSpec struct {
	At, Version      int
	Timescale        uint32
	Earliest, Offset uint64
	Sizes, Durations []uint32
}

// box writes the index. Source: ISO/IEC 14496-12 §8.16.3.
func (s indexSpec) box() []byte {
	b := append([]byte("0000sidx"), byte(s.Version), 0, 0, 0, 0, 0, 0, 1)
	b = binary.BigEndian.AppendUint32(b, s.Timescale)
	for _, n := range []uint64{s.Earliest, s.Offset} {
		if s.Version == 0 {
			b = binary.BigEndian.AppendUint32(b, uint32(n))
		} else {
			b = binary.BigEndian.AppendUint64(b, n)
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.Sizes)))
	for i, size := range s.Sizes {
		b = binary.BigEndian.AppendUint32(b, size)
		b = binary.BigEndian.AppendUint32(b, s.Durations[i])
		b = binary.BigEndian.AppendUint32(b, 0x90000000)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// folder has the cases: testdata, or what test/interop/identity/dash.cjs was run with by --cases.
func folder() string {
	if other := os.Getenv("P2PSTREAM_DASH_CASES"); other != "" {
		return other
	}
	return "testdata"
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func testCases(t testing.TB) []testCase {
	t.Helper()
	var file struct{ Cases []testCase }
	readJSON(t, "cases.json", &file)
	if len(file.Cases) < 60 {
		t.Fatalf("only %d cases", len(file.Cases))
	}
	return file.Cases
}

func (c testCase) mpd(t testing.TB, step int) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(), "mpd", c.Steps[step].File))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// load reads a state of the case, with the playlist of each rendition.
func (c testCase) load(t testing.TB, step int) (*Presentation, map[string]*Playlist, error) {
	t.Helper()
	return c.loadText(c.mpd(t, step), c.Steps[step].Now)
}

// loadText is load for another text.
func (c testCase) loadText(text []byte, now time.Time) (*Presentation, map[string]*Playlist, error) {
	p, err := Parse(text, c.URL)
	if err != nil {
		return nil, nil, err
	}
	lists := map[string]*Playlist{}
	for _, r := range p.Renditions {
		indexes := map[string][]byte{}
		for _, index := range r.Indexes {
			if spec, ok := c.Sidx[index.URL]; ok {
				indexes[index.Key()] = spec.box()
			}
		}
		if lists[r.Name], err = p.Playlist(r, now, indexes); err != nil {
			return p, nil, err
		}
	}
	return p, lists, nil
}

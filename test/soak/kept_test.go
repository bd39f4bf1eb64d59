package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pstream/p2pstream/test/soak/chart"
)

// TestKeptSoak holds the run that docs/soak.md shows to the rule as it is now, and its graph to its samples.
func TestKeptSoak(t *testing.T) {
	t.Parallel()
	const dir = "../../docs/soak"
	rows, events, err := files(filepath.Join(dir, samplesFile))
	if err != nil {
		t.Fatal(err)
	}
	var m machineInfo
	text, err := os.ReadFile(filepath.Join(dir, machineFile))
	if err := errors.Join(err, json.Unmarshal(text, &m)); err != nil {
		t.Fatal(err)
	}
	s, err := summarize(m, rows, events)
	if err != nil {
		t.Fatal(err)
	}
	if bad := failing(s); len(bad) > 0 || !s.OK || s.Minutes < 119 {
		t.Errorf("%v minutes, %v, %q", s.Minutes, s.OK, bad)
	}
	for name, want := range map[string]string{"soak.svg": chart.SVG(picture(rows, events)), "summary.md": s.markdown()} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is not what the samples say (%v): make it anew with `go run ./test/soak`, graph or judge", name, err)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

// TestShortSoak is the soak of hours in half a minute: everything happens, and all counts come back to what they were.
// Whether memory grows slowly is for the long one to tell.
func TestShortSoak(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	dir := t.TempDir()
	var log strings.Builder
	if err := soakAndJudge(ctx, 25*time.Second, os.Getenv("P2PSTREAM_BINARY"), dir, 1, &log); err != nil {
		t.Errorf("%v\n%s%s", err, log.String(), logs(t, dir))
	}
	if left := processesOf(t, dir); len(left) > 0 {
		t.Errorf("processes left behind: %q", left)
	}
	var s summary
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", s.markdown())
	if s.Joined < 10 || s.Left < 5 || s.Vanished < 1 || s.Switches < 3 || s.Terms < 1 || s.Kills < 1 || s.Trackers != 1 {
		t.Errorf("too little happened: %+v", s)
	}
	if s.Offload < 0.5 || s.KeptStalls > 5 || s.Bytes.Seeder == 0 || s.Bytes.Viewer == 0 {
		t.Errorf("the stream suffered: %+v", s)
	}
	if len(s.Checks) < 20 {
		t.Errorf("only %d figures were judged", len(s.Checks))
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "soak.svg")); err != nil || !strings.Contains(string(svg), "<polyline") {
		t.Errorf("no graph: %v", err)
	}
}

// logs are what the programs said.
func logs(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Error(err)
		}
		b.WriteString("\n" + filepath.Base(f) + ":\n" + string(text[max(0, len(text)-2000):]))
	}
	return b.String()
}

// processesOf finds what still runs with a file of a directory open, as all programs of a soak have their log.
func processesOf(t *testing.T, dir string) (left []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/fd/2")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, dir) {
			left = append(left, f+" "+to)
		}
	}
	return left
}

func TestCommandNamesWhatIsWrong(t *testing.T) {
	for want, args := range map[string][]string{
		"--out is missing": {"--for", "1m"}, "too short": {"--for", "1s", "--out", t.TempDir()},
		"--csv is missing": {"graph"}, "--in is missing": {"judge"}, `"draw" is unknown`: {"draw"}, `"x" is no flag`: {"graph", "x"},
		"opening what a soak wrote": {"graph", "--csv", "/nowhere/samples.csv"}, "/nowhere/samples.csv": {"judge", "--in", "/nowhere"},
		"flag provided but not defined": {"--sauce"},
	} {
		var out strings.Builder
		if err := command(t.Context(), args, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDashboardsAreUpToDate(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	if code := run([]string{"--root", "../..", "--check"}, &stderr); code != 0 {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}

func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var stderr strings.Builder
	if code := run([]string{"--root", root, "--check"}, &stderr); code != 1 {
		t.Errorf("missing files: exit %d: %s", code, &stderr)
	}
	if code := run([]string{"--root", root}, &stderr); code != 0 {
		t.Fatalf("writing: exit %d: %s", code, &stderr)
	}
	if code := run([]string{"--root", root, "--check"}, &stderr); code != 0 {
		t.Errorf("just written: exit %d: %s", code, &stderr)
	}
	path := filepath.Join(root, folder, "streams.json")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	stderr.Reset()
	if code := run([]string{"--root", root, "--check"}, &stderr); code != 1 || !strings.Contains(stderr.String(), path) {
		t.Errorf("changed by hand: exit %d: %s", code, &stderr)
	}
}

func TestPanelsExplainThemselves(t *testing.T) {
	t.Parallel()
	titles := map[string]bool{}
	for _, b := range boards {
		if !json.Valid(b.render()) || b.Title == "" || b.UID == "" || b.About == "" || titles[b.UID] {
			t.Errorf("%s: not valid, without a title, uid or description, or its uid is not its own", b.File)
		}
		titles[b.UID] = true
		for _, r := range b.Rows {
			if len(r.Panels) == 0 || width%len(r.Panels) != 0 {
				t.Errorf("%s, %s: %d panels do not fill the width", b.File, r.Title, len(r.Panels))
			}
			for _, p := range r.Panels {
				if p.Title == "" || p.About == "" || p.Unit == "" || len(p.Queries) == 0 {
					t.Errorf("%s, %s, %s: lacks a title, a description, a unit or a query", b.File, r.Title, p.Title)
				}
			}
		}
	}
}

package binaries

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCompilingSaysHowFarItIs(t *testing.T) {
	for _, tt := range []struct {
		done, total int
		elapsed     time.Duration
		want        string
	}{
		{0, 2600, 10 * time.Second, "0 of 2600 packages compiled"},
		{100, 2600, 10 * time.Second, "100 of 2600 packages compiled"},
		{650, 2600, 2 * time.Minute, "650 of 2600 packages compiled, about 6 minutes left"},
		{2590, 2600, 40 * time.Minute, "2590 of 2600 packages compiled, less than a minute left"},
		{2600, 2600, 41 * time.Minute, "2600 of 2600 packages compiled, linking"},
		{1, 0, time.Second, "1 of 0 packages compiled, linking"},
	} {
		if got := compiling(tt.done, tt.total, tt.elapsed); got != tt.want {
			t.Errorf("%d of %d after %s: %q, want %q", tt.done, tt.total, tt.elapsed, got, tt.want)
		}
	}
}

func TestGoOutputCountsAndKeepsErrors(t *testing.T) {
	var out goOutput
	for _, part := range []string{"go: downloading k8s.io/api v0.37.0\nk8s.io/a", "pi/core/v1\nfmt\n", "# broken\n./main.go:3:15: undefined: x\n"} {
		if n, err := out.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if out.packageCount() != 2 || out.downloadCount() != 1 {
		t.Errorf("counted %d packages, %d downloads; want 2 and 1", out.packageCount(), out.downloadCount())
	}
	if got := out.errors(); strings.Contains(got, "core/v1") || !strings.HasSuffix(got, "# broken\n./main.go:3:15: undefined: x\n") {
		t.Errorf("errors are %q", got)
	}
	for range 10 {
		if _, err := out.Write([]byte(strings.Repeat("x", keptOutput))); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.tail) > keptOutput || len(out.line) > 2*keptOutput {
		t.Errorf("keeps %d and %d bytes, want at most %d", len(out.tail), len(out.line), keptOutput)
	}
}

// What the build cache has is not counted as work.
func TestMissingCountsWhatHasToBeCompiled(t *testing.T) {
	// The random text is in no build cache.
	dir := module(t, "package main\n\nimport \"thing/part\"\n\nfunc main() { println(part.Text) }\n")
	part := filepath.Join(dir, "part")
	if err := errors.Join(os.Mkdir(part, 0o755), os.WriteFile(filepath.Join(part, "part.go"), []byte("package part\n\nconst Text = \""+rand.Text()+"\"\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	p := program{name: "thing"}
	var said strings.Builder
	before, err := p.missing(t.Context(), dir, &said)
	if err != nil || before < 2 {
		t.Fatalf("before the build %d packages are missing, %v; want both of the module", before, err)
	}
	if err := p.compile(t.Context(), dir, dir+"/thing", &said); err != nil {
		t.Fatal(err)
	}
	after, err := p.missing(t.Context(), dir, &said)
	if err != nil || after > 1 {
		t.Errorf("after the build %d packages are missing, %v; want the main package at most", after, err)
	}
}

package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGoldenOpening(t *testing.T) {
	t.Parallel()
	own := &demo{opts: options{viewers: 8}}
	existing := &demo{opts: options{viewers: 8, cluster: "kind-dev"}}
	for name, p := range map[string]place{"own": &ownCluster{demo: own}, "existing": &existingCluster{demo: existing}} {
		golden(t, "opening-"+name+".txt", opening(p.headline(), p.opening()))
	}
}

// The opening names the packages that `cluster deps` installs.
func TestOpeningNamesThePackages(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../cluster/internal/host/deps.go")
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for _, match := range regexp.MustCompile(`(?m)^\t.*:\s+"([a-z0-9-]+)",$`).FindAllStringSubmatch(string(source), -1) {
		packages = append(packages, match[1])
	}
	slices.Sort(packages)
	if want := strings.Join(slices.Compact(packages), ", "); clusterPackages != want {
		t.Errorf("the demo names %s, want %s", clusterPackages, want)
	}
}

func TestNotesBetweenSteps(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	o := &ownCluster{demo: &demo{ui: &ui{out: &out, now: time.Now}}}
	o.noteInstall("installing containerd runc")
	o.noteInstall("Reading package lists...")
	o.ui.note("%s", remaining(true))
	o.ui.note("%s", remaining(false))
	const want = `      apt-get installs containerd runc; they stay after the demo
      Kubernetes is built already: about 90 seconds from here
      Kubernetes is not built yet: about 10 minutes from here on two idle cores, longer on a busy machine
`
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestStepsAreNumbered(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	u := &ui{out: &out, now: func() time.Time { return time.Time{} }}
	done := func(context.Context, *activity) error { return nil }
	u.number(12)
	for range 2 {
		if err := u.step(t.Context(), "work", done); err != nil {
			t.Fatal(err)
		}
	}
	u.number(0)
	if err := u.step(t.Context(), "the end", done); err != nil {
		t.Fatal(err)
	}
	var signs []string
	for line := range strings.Lines(out.String()) {
		sign, _, _ := strings.Cut(line, "✓")
		signs = append(signs, strings.TrimSpace(sign))
	}
	if got := strings.Join(signs, " "); got != "1/12 2/12 " {
		t.Errorf("numbers %q, output %s", got, out.String())
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	if got := strings.Join(wrap("aa bb  cc\nd eeeeeeee f", 5), "|"); got != "aa bb|cc d|eeeeeeee|f" {
		t.Errorf("wrap = %s", got)
	}
	if got := wrap("", 5); len(got) != 0 {
		t.Errorf("wrap of nothing = %q", got)
	}
}

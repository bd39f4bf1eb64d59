//go:build unix

package main

import (
	"bytes"
	"strings"
	"testing"
)

// shell is a prefix that runs a script instead of the viewer.
func shell(script string) []string { return []string{"sh", "-c", script} }

func TestViewers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	v := &viewers{log: &log}
	for n, office := range []string{"a", "a", "b"} {
		if err := v.start(t.Context(), office, n+1, shell("echo hello >&2; exec sleep 60"), "p2pstream"); err != nil {
			t.Fatal(err)
		}
	}
	if n := v.running(); n["a"] != 2 || n["b"] != 1 || len(v.ended()) != 0 {
		t.Errorf("running: %v; ended: %v", n, v.ended())
	}
	if err := v.stop(); err == nil || !strings.Contains(err.Error(), "viewer 3 in b: signal: terminated") {
		t.Errorf("stop = %v, want the viewers' ends: sleep does not end SIGTERM with exit code 0", err)
	}
	if n := v.running(); len(n) != 0 {
		t.Errorf("running after stop: %v", n)
	}
}

func TestViewersThatEndAreDescribed(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	v := &viewers{log: &log}
	if err := v.start(t.Context(), "a", 1, shell("echo first >&2; echo no way >&2; exit 4"), "p2pstream"); err != nil {
		t.Fatal(err)
	}
	<-v.all[0].Ended()
	for range 2 {
		if got := v.ended(); len(got) != 1 || got[0] != "viewer 1 in a ended by itself: exit status 4: no way" {
			t.Errorf("ended = %q", got)
		}
	}
	if err := v.start(t.Context(), "a", 2, []string{"/nowhere/program"}, "p2pstream"); err == nil {
		t.Error("a missing program starts")
	}
	if err := v.stop(); err != nil {
		t.Error(err)
	}
	if want := "viewer 1 in a: first\nviewer 1 in a: no way\n"; log.String() != want {
		t.Errorf("the log is %q, want %q", log.String(), want)
	}
}

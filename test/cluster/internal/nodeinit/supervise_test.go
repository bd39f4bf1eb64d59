package nodeinit

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// The supervisor takes every child of the process: one test has it, and starts no others.
func TestSupervisorRestartsWhatEnds(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	s := &supervisor{
		log:     slog.New(slog.DiscardHandler),
		running: map[int]plan.Program{},
		spec:    plan.NodeSpec{Exits: file("exits")},
	}
	shell := func(name, after, script string) plan.Program {
		return plan.Program{Name: name, Path: "sh", Args: []string{"-c", script}, Log: file(name + ".log"), After: after}
	}
	ctx, stop := context.WithCancel(t.Context())
	go s.startWhenReady(ctx, shell("failing", "", "echo run; exit 3"))
	go s.startWhenReady(ctx, shell("killed", file("go"), "echo run; kill -9 $$"))
	go s.startWhenReady(ctx, plan.Program{Name: "missing", Path: "/no/such/program", Log: file("missing.log")})
	reaped := make(chan struct{})
	go func() {
		s.reap(ctx)
		close(reaped)
	}()
	t.Cleanup(func() {
		stop()
		<-reaped
		s.mu.Lock() // no program is being started, and none starts meanwhile
		defer s.mu.Unlock()
	})

	waitFor(t, file("failing.log"), "run\nrun\n")
	waitFor(t, file("exits"), "failing\texit status 3\n")
	waitFor(t, file("exits"), "missing\tfinding program: ")
	if _, err := os.Stat(file("killed.log")); err == nil {
		t.Error("a program is started before the file that it waits for exists")
	}
	if err := os.WriteFile(file("go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, file("exits"), "killed\tkilled by signal killed\n")
	waitFor(t, file("killed.log"), "run\nrun\n")
}

func waitFor(t *testing.T, file, content string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got, _ := os.ReadFile(file)
		if strings.Contains(string(got), content) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s holds %q, not %q", file, got, content)
		}
	}
}

func TestRunIsForFirstProcessesOnly(t *testing.T) {
	if err := Run(t.Context(), filepath.Join(t.TempDir(), "spec"), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "cluster up") {
		t.Errorf("got %v", err)
	}
}

func TestDescribe(t *testing.T) {
	for status, want := range map[syscall.WaitStatus]string{
		0:      "exit status 0",
		2 << 8: "exit status 2",
		9:      "killed by signal killed",
		15:     "killed by signal terminated",
	} {
		if got := describe(status); got != want {
			t.Errorf("%d: got %q, want %q", status, got, want)
		}
	}
}

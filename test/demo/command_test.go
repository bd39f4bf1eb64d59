//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunnerShowsTheEndOfWhatFailed(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &runner{log: &log}
	a := &activity{}
	err := r.run(t.Context(), command{args: []string{"sh", "-c", "for i in $(seq 40); do echo line $i; done; printf 'the end' >&2; exit 3"}}, a)
	var failed *commandError
	var exit *exec.ExitError
	if !errors.As(err, &failed) || !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("run = %v", err)
	}
	text := err.Error()
	if !strings.HasPrefix(text, "running sh -c for") || strings.Contains(text, "line 20\n") || !strings.Contains(text, "line 40") || !strings.HasSuffix(text, "the end") {
		t.Errorf("the error is %q", text)
	}
	if a.said() != "the end" && a.said() != "line 40" {
		t.Errorf("said last: %q", a.said())
	}
	if !strings.Contains(log.String(), "line 1\n") || !strings.HasPrefix(log.String(), "$ sh -c for") {
		t.Errorf("the log is %q", log.String())
	}
}

func TestRunnerGivesOutputAndInput(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &runner{log: &log}
	out, err := r.output(t.Context(), command{args: []string{"sh", "-c", "cat; echo $WHO; echo beside >&2"}, stdin: []byte("in\n"), env: []string{"WHO=me"}}, nil)
	if err != nil || string(out) != "in\nme\n" {
		t.Errorf("output = %q, %v", out, err)
	}
	if !strings.Contains(log.String(), "beside") || strings.Contains(log.String(), "in\n") {
		t.Errorf("the log is %q, want what went to stderr only", log.String())
	}
}

func TestRunnerStopsTheWholeGroup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	r := &runner{log: &reader{line: "ready", do: func() { cancel(reason) }}, grace: 50 * time.Millisecond}
	// The grandchild ignores SIGTERM, and would hold the pipe open for a minute.
	err := r.run(ctx, command{args: []string{"sh", "-c", "(trap '' TERM; echo ready; exec sleep 60) & wait"}}, nil)
	if !errors.Is(err, reason) {
		t.Errorf("run = %v, want the reason of the stop", err)
	}
}

// reader does something when a line is written.
type reader struct {
	line string
	do   func()
}

func (a *reader) Write(p []byte) (int, error) {
	if strings.TrimSpace(string(p)) == a.line {
		a.do()
	}
	return len(p), nil
}

func TestRunnerTimeout(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &runner{log: &log}
	err := r.run(t.Context(), command{args: []string{"sleep", "60"}, timeout: 10 * time.Millisecond}, nil)
	if err == nil || !strings.Contains(err.Error(), "not done after 10ms") {
		t.Errorf("run = %v", err)
	}
}

func TestRunnerNamesAMissingProgram(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &runner{log: &log}
	if err := r.run(t.Context(), command{args: []string{"/nowhere/program"}}, nil); err == nil || !strings.Contains(err.Error(), "running program") {
		t.Errorf("run = %v", err)
	}
}

func TestBuildShowsComplaintsOnly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := build{}.compile("bin/x", 9)
	c.args = []string{"sh", "-c", "echo k8s.io/api/apps/v1; echo '# a/package'; echo 'a.go:13:2: undefined: b'; echo sync/atomic; exit 1"}
	err := (&runner{log: &log}).run(t.Context(), c, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "exit status 1\n    # a/package\n    a.go:13:2: undefined: b") {
		t.Errorf("run = %v", err)
	}
	if !strings.Contains(log.String(), "k8s.io/api/apps/v1") {
		t.Errorf("the log is %q", log.String())
	}
}

func TestLineWriter(t *testing.T) {
	t.Parallel()
	var got []string
	w := &lineWriter{each: func(line string) { got = append(got, line) }}
	for _, part := range []string{"one\ntw", "o\r50 %\r", "\n\n", "end"} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if tail := w.end(); strings.Join(tail, "|") != "one|two|50 %|end" || strings.Join(got, "|") != "one|two|50 %|end" {
		t.Errorf("lines %q, end %q", got, tail)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestStepLine(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"  ✓ starting two nodes                   5.4s":          stepLine("✓", "starting two nodes", 5400*time.Millisecond, ""),
		"  … building the cluster's programs     2m05s  kubelet": stepLine("…", "building the cluster's programs", 125*time.Second, "kubelet"),
	} {
		if got != want {
			t.Errorf("stepLine = %q, want %q", got, want)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		width int
		want  string
	}{
		{"short", 80, "short"},
		{"äöüäöü", 5, "äöü…"},
		{"a\tb\x1b[2Jc\n", 80, "a b[2Jc"},
		{"any", 0, "any"},
	} {
		if got := clip(tt.in, tt.width); got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}

func TestStep(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, tt := range map[string]struct {
		ctx  context.Context
		live bool
		err  error
		want string
	}{
		"done":                 {t.Context(), false, nil, "  ✓ work"},
		"done, on a terminal":  {t.Context(), true, nil, "  … work"},
		"failed":               {t.Context(), false, errors.New("no"), "  ✗ work"},
		"stopped from outside": {stopped, false, errors.New("no"), "  - work"},
		"overwritten and done": {t.Context(), true, nil, "\r\x1b[K  ✓ work"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			u := &ui{out: &out, now: func() time.Time { return time.Time{} }}
			if tt.live {
				u.width = func() int { return 80 }
			}
			err := u.step(tt.ctx, "work", func(context.Context, *activity) error { return tt.err })
			if !errors.Is(err, tt.err) || !strings.Contains(out.String(), tt.want) {
				t.Errorf("step = %v, printed %q, want %q in it", err, out.String(), tt.want)
			}
		})
	}
}

// gone is a terminal that was closed.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestLostOutputStopsTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	u := &ui{out: gone{}, now: time.Now, lost: cancel}
	u.print("a line")
	if ctx.Err() == nil {
		t.Error("the run goes on though its output cannot be written")
	}
}

func TestWithNextKeepsTheInnermostAdvice(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	err := withNext(withNext(cause, "fix %s", "it"), "give up")
	if !errors.Is(err, cause) || !strings.HasSuffix(err.Error(), "next: fix it") || strings.Contains(err.Error(), "give up") {
		t.Errorf("withNext = %v", err)
	}
	if withNext(nil, "nothing") != nil {
		t.Error("withNext of no error is an error")
	}
}

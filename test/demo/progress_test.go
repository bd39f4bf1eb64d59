//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A build of three hours with a package every four minutes is slow, and not stuck.
func TestWatchdogLetsSlowProgressRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watchProgress(t.Context(), 5*time.Minute)
		defer w.end()
		for n := range 45 {
			time.Sleep(4 * time.Minute)
			w.saw(fmt.Sprintf("  kube: %s, %d of 2600 packages compiled", time.Duration(n)*4*time.Minute, n))
		}
		if ctx.Err() != nil {
			t.Errorf("stopped: %v", context.Cause(ctx))
		}
	})
}

// The clock in a line is no progress, and neither is the same line once more.
func TestWatchdogStopsWhatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watchProgress(t.Context(), 15*time.Minute)
		defer w.end()
		began := time.Now()
		for n := 0; ctx.Err() == nil; n++ {
			w.saw(fmt.Sprintf("  kube: %s, 2590 of 2600 packages compiled", time.Duration(n)*10*time.Second))
			time.Sleep(10 * time.Second)
		}
		if took := time.Since(began); took < 15*time.Minute || took > 15*time.Minute+10*time.Second {
			t.Errorf("stopped after %s", took)
		}
		var stalled *stalledError
		const want = "no progress for 15m00s; last progress: kube: 0s, 2590 of 2600 packages compiled"
		if err := context.Cause(ctx); !errors.As(err, &stalled) || err.Error() != want {
			t.Errorf("cause = %v, want %s", err, want)
		}
	})
}

func TestWatchdogStopsWhatIsSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, w := watchProgress(t.Context(), time.Minute)
		defer w.end()
		<-ctx.Done()
		if err := context.Cause(ctx); err.Error() != "no progress for 1m00s" {
			t.Errorf("cause = %v", err)
		}
	})
}

// A program that takes longer than the limit, but reports another package all the time, runs to its end.
func TestRunnerLetsASlowBuildRun(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second
	var log bytes.Buffer
	began := time.Now()
	err := (&runner{log: &log}).run(t.Context(), command{
		args: []string{"sh", "-c", "for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo kube: ${n}s, $n of 12 packages compiled; sleep 0.2; done"},
		idle: limit,
	}, nil)
	if err != nil || !strings.Contains(log.String(), "12 of 12 packages") {
		t.Errorf("run = %v, log %q", err, log.String())
	}
	if took := time.Since(began); took <= limit {
		t.Errorf("done after %s, too soon to prove anything", took)
	}
}

// A program that prints nothing but the time is ended, and the message says where it stood.
func TestRunnerEndsABuildThatHangs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	err := (&runner{log: &log}).run(t.Context(), command{
		args: []string{"sh", "-c", "n=0; while :; do echo kube: ${n}s, 2590 of 2600 packages compiled; n=$((n+1)); sleep 0.1; done"},
		idle: 3 * time.Second,
	}, nil)
	var stalled *stalledError
	if !errors.As(err, &stalled) || !strings.Contains(err.Error(), "no progress for 3.0s; last progress: kube: 0s, 2590 of 2600 packages compiled") {
		t.Errorf("run = %v", err)
	}
}

func TestPackageCounter(t *testing.T) {
	t.Parallel()
	c := &packageCounter{total: 2}
	for _, tt := range []struct{ line, want string }{
		{"go: downloading k8s.io/api v0.36.3", "go: downloading k8s.io/api v0.36.3"},
		{"k8s.io/api/apps/v1", "1 of 2 packages compiled: k8s.io/api/apps/v1"},
		{"p2pstream/cmd", "2 of 2 packages compiled, linking"},
	} {
		if got := c.describe(tt.line); got != tt.want {
			t.Errorf("describe(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}

// The steps of a run show what the programs report: how many packages of how many.
func TestStepShowsHowFarABuildIs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := &activity{}
	b := build{output: "cluster", pkg: "."}
	c := b.compile("bin/cluster", 2)
	c.args = []string{"sh", "-c", "echo sync; echo k8s.io/api/apps/v1"}
	if err := (&runner{log: &log}).run(t.Context(), c, a); err != nil || a.said() != "2 of 2 packages compiled, linking" {
		t.Errorf("run = %v, the step shows %q", err, a.said())
	}
	// cluster build counts by itself.
	const line = "kube: 2m10s, 812 of 2600 packages compiled, about 5 minutes left"
	if err := (&runner{log: &log}).run(t.Context(), command{args: []string{"echo", "  " + line}, idle: time.Minute}, a); err != nil || a.said() != line {
		t.Errorf("run = %v, the step shows %q", err, a.said())
	}
}

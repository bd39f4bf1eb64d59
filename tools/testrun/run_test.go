package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test's own program stands in for testrun, and for a program that uses the processor.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measureCommand {
		code, err := measure(os.Args[2:])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}
	if len(os.Args) > 1 && os.Args[1] == "burn" {
		var used syscall.Rusage
		for time.Duration(used.Utime.Nano()) < burned {
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
				panic(err)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const burned = 100 * time.Millisecond

const (
	passes = `{"Action":"run","Package":"p","Test":"TestA"}{"Action":"pass","Package":"p","Test":"TestA"}`
	fails  = `{"Action":"run","Package":"p","Test":"TestA"}{"Action":"output","Package":"p","Test":"TestA","Output":"it broke"}{"Action":"fail","Package":"p","Test":"TestA"}`
	skips  = `{"Action":"run","Package":"p","Test":"TestA"}{"Action":"skip","Package":"p","Test":"TestA"}`
)

// newRunner returns a runner whose make targets are shell scripts.
func newRunner(t *testing.T, targets map[string]string) *runner {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	r := &runner{root: root, dir: root, every: time.Hour, pace: func() float64 { return 1 }, out: io.Discard}
	r.command = func(target string) []string {
		return []string{self, measureCommand, "sh", "-c", targets[target]}
	}
	return r
}

func writes(name, events string) string { return "echo '" + events + "' >" + name + ".json" }

func runOne(t *testing.T, s suite, script string) ran {
	t.Helper()
	done := newRunner(t, map[string]string{s.name: script}).run(t.Context(), []round{{{s}}})
	if len(done) != 1 {
		t.Fatalf("ran %d suites, want 1", len(done))
	}
	return done[0]
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	parts := map[string]string{"Fuzz": "fuzz-seeds"}
	for name, c := range map[string]struct {
		suite   suite
		script  string
		problem string
		sum     string
		ok      bool
	}{
		"passes":             {suite{name: "a"}, writes("a", passes), "", "1 passed, 0 failed, 0 skipped", true},
		"fails":              {suite{name: "a"}, writes("a", fails) + "; exit 1", "", "0 passed, 1 failed, 0 skipped", false},
		"skips":              {suite{name: "a"}, writes("a", skips), "", "0 passed, 0 failed, 1 skipped", false},
		"no test":            {suite{name: "a"}, "true", "ran no test of a", "0 passed, 1 failed, 0 skipped", false},
		"no test of a part":  {suite{name: "a", split: parts}, writes("a", passes), "ran no test of fuzz-seeds", "1 passed, 1 failed, 0 skipped", false},
		"fails beside tests": {suite{name: "a"}, writes("a", passes) + "; exit 3", "make a: exit status 3", "1 passed, 1 failed, 0 skipped", false},
		"garbage":            {suite{name: "a"}, "echo x >a.json", "decoding event", "0 passed, 1 failed, 0 skipped", false},
		"step passes":        {suite{name: "a", noTests: true}, "true", "", "0 passed, 0 failed, 0 skipped", true},
		"step fails":         {suite{name: "a", noTests: true}, "false", "make a: exit status 1", "0 passed, 1 failed, 0 skipped", false},
		"killed":             {suite{name: "a", noTests: true}, "kill -9 $$", "make a: exit status 137", "0 passed, 1 failed, 0 skipped", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := runOne(t, c.suite, c.script)
			if !strings.Contains(done.problem, c.problem) || (c.problem == "") != (done.problem == "") {
				t.Errorf("problem %q, want %q", done.problem, c.problem)
			}
			if got := done.sum().String(); got != c.sum || done.ok() != c.ok {
				t.Errorf("%s, ok %t; want %s, %t", got, done.ok(), c.sum, c.ok)
			}
		})
	}
}

// A program that is left behind by its parent and ends within the suite counts, too.
func TestOrphansAreMeasured(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	done := runOne(t, suite{name: "a", noTests: true}, fmt.Sprintf(`
		sh -c '(%q burn; : >burned) & exit 0'
		while ! [ -e burned ]; do sleep 0.01; done`, self))
	if !done.ok() || done.cpu < burned {
		t.Errorf("ok %t with %s of CPU, want at least %s", done.ok(), done.cpu, burned)
	}
}

func TestLanesRunBesideEachOther(t *testing.T) {
	t.Parallel()
	// Each waits for the other; the third finds what both left.
	r := newRunner(t, map[string]string{
		"a": ": >a-runs; while ! [ -e b-runs ]; do sleep 0.01; done",
		"b": ": >b-runs; while ! [ -e a-runs ]; do sleep 0.01; done",
		"c": "[ -e a-runs ] && [ -e b-runs ]",
	})
	step := func(name string) suite { return suite{name: name, noTests: true} }
	done := r.run(t.Context(), []round{{{step("a")}, {step("b")}}, {{step("c")}}})
	for i, want := range []string{"a", "b", "c"} {
		if done[i].suite.name != want || !done[i].ok() {
			t.Errorf("%d: %s, %q; want %s to pass", i, done[i].suite.name, done[i].problem, want)
		}
	}
}

// On a slow machine, suites do not share the processors, and know that they run on one.
func TestLanesOfASlowMachineFollowEachOther(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{
		"a": writes("a", passes) + `; [ "$P2PSTREAM_SLOW_MACHINE" = 1 ] && sleep 0.2 && ! [ -e b-runs ] && : >a-ran`,
		"b": writes("b", passes) + `; : >b-runs; [ "$P2PSTREAM_SLOW_MACHINE" = 1 ] && [ -e a-ran ]`,
		"c": writes("c", passes) + `; [ -z "$P2PSTREAM_SLOW_MACHINE" ]`,
	})
	paces := []float64{slowFrom, slowFrom - 0.1}
	r.pace = func() float64 { p := paces[0]; paces = paces[1:]; return p }
	step := func(name string) suite { return suite{name: name} }
	done := r.run(t.Context(), []round{{{step("a")}, {step("b")}}, {{step("c")}}})
	for i, want := range []string{"a", "b", "c"} {
		if done[i].suite.name != want || done[i].problem != "" || !done[i].ok() {
			t.Errorf("%d: %s, %q; want %s to pass", i, done[i].suite.name, done[i].problem, want)
		}
	}
}

func TestInterruptReachesTheSuiteAndIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{"a": "trap ': >cleaned; exit 1' INT; : >started; while :; do sleep 0.01; done"})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for {
			if _, err := os.Stat(filepath.Join(r.root, "started")); err == nil || t.Context().Err() != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	done := r.run(ctx, []round{{{{name: "a", noTests: true}}}, {{{name: "b"}}}})
	if done[0].problem != "interrupted" || done[1].problem != "not started: interrupted" {
		t.Errorf("problems %q and %q", done[0].problem, done[1].problem)
	}
	if _, err := os.Stat(filepath.Join(r.root, "cleaned")); err != nil {
		t.Errorf("the suite did not clean up: %v", err)
	}
}

// syncWriter collects lines that several goroutines write.
type syncWriter struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *syncWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestProgressIsToldWhileASuiteRuns(t *testing.T) {
	t.Parallel()
	r := newRunner(t, map[string]string{"a": writes("a", passes) + "; while ! [ -e told ]; do sleep 0.01; done"})
	var out syncWriter
	r.out, r.every = &out, time.Millisecond
	go func() {
		for !strings.Contains(out.String(), "1 passed") && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		_ = os.WriteFile(filepath.Join(r.root, "told"), nil, 0o600)
	}()
	if done := r.run(t.Context(), []round{{{{name: "a"}}}}); !done[0].ok() {
		t.Errorf("problem %q", done[0].problem)
	}
	for _, want := range []string{"== a: started", "a.log", "   a: 0m00s, 1 passed, 0 failed, 0 skipped", "== a: passed in"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("said nothing of %q:\n%s", want, &out)
		}
	}
}

// A suite that depends on files runs whole until it has passed, and when they change.
func TestUnchangedPartsRunOnRequestOnly(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	targets := map[string]string{"part": writes("a", passes)}
	r := newRunner(t, targets)
	write := func(content string) {
		t.Helper()
		dir := filepath.Join(r.root, "folder")
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "x"), []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	s := suite{name: "a", onChange: &onChange{folders: []string{"folder"}, otherwise: "part", left: "the rest"}}
	expect := func(when string, script string, whole bool) {
		t.Helper()
		targets["a"] = script + "; : >whole"
		_ = os.Remove(filepath.Join(r.root, "whole"))
		done := r.run(t.Context(), []round{{{s}}})[0]
		_, err := os.Stat(filepath.Join(r.root, "whole"))
		if ran := err == nil; ran != whole || (done.note == "") != whole {
			t.Errorf("%s: all ran %t, want %t; note %q", when, ran, whole, done.note)
		}
		if !whole && !done.ok() {
			t.Errorf("%s: %s", when, done.outcome())
		}
	}
	write("1")
	expect("the first time", writes("a", fails), true)
	expect("after a failure", writes("a", passes), true)
	expect("after a success", writes("a", passes), false)
	write("2")
	expect("after a change", writes("a", passes), true)
	expect("after the next success", writes("a", passes), false)
	r.full = true
	expect("with CI_FULL=1", writes("a", passes), true)
}

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
	"time"

	"github.com/p2pstream/p2pstream/tools/testrun/results"
)

// ran is what became of one suite.
type ran struct {
	suite suite
	wall  time.Duration
	// cpu is the user and system time of the suite's processes.
	cpu   time.Duration
	tests results.Tests
	// problem says what is wrong beside failed tests; it counts as one failure.
	problem string
	// note is a remark for the table.
	note string
}

// ok reports whether everything passed.
func (r ran) ok() bool {
	sum := r.tests.Sum()
	return r.problem == "" && sum.Failed == 0 && sum.Skipped == 0 && (r.suite.noTests || sum.Passed > 0)
}

// withoutTests names the rows in which no test counts.
func (r ran) withoutTests() []string {
	var missing []string
	for _, row := range append([]string{r.suite.name}, r.suite.parts()...) {
		if r.of(row).Sum() == (results.Sum{}) {
			missing = append(missing, row)
		}
	}
	return missing
}

// of returns the tests of one row.
func (r ran) of(row string) results.Tests {
	return r.tests.Select(func(t results.Test) bool { return r.suite.row(t.Name) == row })
}

// runner runs suites from the repository's root.
type runner struct {
	root string
	// dir takes SUITE.json, which the make targets write, and SUITE.log.
	dir string
	// command runs a make target.
	command func(target string) []string
	full    bool
	// every is the time between two lines about a suite that still runs.
	every time.Duration
	// pace measures how many times slower than an idle machine this one is.
	pace func() float64

	// slow is set for a round that runs on a slow machine.
	slow bool

	mu  sync.Mutex
	out io.Writer
}

func (r *runner) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = fmt.Fprintf(r.out, format+"\n", args...)
}

// run runs the rounds until the context ends, and returns what ran in the order of the plan.
func (r *runner) run(ctx context.Context, rounds []round) []ran {
	var all []ran
	for _, round := range rounds {
		r.slow = false
		if round.timed() {
			times := r.pace()
			r.slow = times >= slowFrom
			if r.slow {
				r.say("== this machine takes %.1f times as long as an idle one: suites run one after the other, and fewer tests at once", times)
			}
		}
		done := make([][]ran, len(round))
		var wg sync.WaitGroup
		for i, lane := range round {
			wg.Go(func() {
				for _, s := range lane {
					done[i] = append(done[i], r.suite(ctx, s))
				}
			})
			if r.slow {
				wg.Wait()
			}
		}
		wg.Wait()
		for _, d := range done {
			all = append(all, d...)
		}
	}
	return all
}

// suite runs all of a suite or, where nothing changed, the part that always runs.
func (r *runner) suite(ctx context.Context, s suite) ran {
	if s.onChange == nil {
		return r.target(ctx, s, s.name)
	}
	now, err := fingerprint(ctx, r.root, s.onChange.folders)
	if err != nil {
		return ran{suite: s, problem: err.Error()}
	}
	last, err := newStamp(s.name)
	if err != nil {
		return ran{suite: s, problem: err.Error()}
	}
	unchanged, err := last.is(now)
	if err != nil {
		return ran{suite: s, problem: err.Error()}
	}
	if unchanged && !r.full {
		done := r.target(ctx, s, s.onChange.otherwise)
		done.note = s.onChange.left + " not run: unchanged since their last success; CI_FULL=1 runs them"
		return done
	}
	done := r.target(ctx, s, s.name)
	if done.ok() {
		if err := last.set(now); err != nil {
			done.problem = err.Error()
		}
	}
	return done
}

// target runs one make target and reads its results.
func (r *runner) target(ctx context.Context, s suite, target string) ran {
	done := ran{suite: s}
	if ctx.Err() != nil {
		done.problem = "not started: interrupted"
		return done
	}
	log := filepath.Join(r.dir, s.name+".log")
	r.say("== %s: started; its output is in %s", s.name, r.short(log))
	began := time.Now()
	stop := r.progress(s, began)
	state, err := r.execute(ctx, target, log)
	stop()
	done.wall = time.Since(began)
	if state != nil {
		done.cpu = state.UserTime() + state.SystemTime()
	}
	switch {
	case ctx.Err() != nil:
		done.problem = "interrupted"
	case err != nil && state == nil:
		done.problem = err.Error()
	}
	if !s.noTests {
		tests, readErr := readFile(r.json(s))
		done.tests = tests
		if readErr != nil && done.problem == "" {
			done.problem = readErr.Error()
		}
		if missing := done.withoutTests(); len(missing) > 0 && done.problem == "" {
			done.problem = "ran no test of " + strings.Join(missing, ", ")
		}
	}
	if state != nil && !state.Success() && done.problem == "" && done.tests.Sum().Failed == 0 {
		done.problem = "make " + target + ": " + state.String()
	}
	r.say("== %s: %s in %s, %s of CPU", s.name, done.outcome(), clock(done.wall), clock(done.cpu))
	return done
}

// execute runs a make target in a process group of its own, which gets an interrupt when the context ends
// and is then waited for: suites clean up after themselves. The state is nil if it did not start.
func (r *runner) execute(ctx context.Context, target, log string) (*os.ProcessState, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("creating log: %w", err)
	}
	defer out.Close() //nolint:errcheck // what is missing in a log is seen there
	args := r.command(target)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the command is ours
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.root, out, out
	cmd.Env = append(os.Environ(), slowVariable+"=")
	if r.slow {
		cmd.Env = append(os.Environ(), slowVariable+"=1")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return nil, fmt.Errorf("starting make %s: %w", target, err)
	}
	return cmd.ProcessState, nil
}

// progress says from time to time how far a suite is, until stop is called.
func (r *runner) progress(s suite, began time.Time) (stop func()) {
	stopped, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(r.every)
		defer tick.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-tick.C:
				r.say("   %s: %s%s", s.name, clock(time.Since(began)), r.soFar(s))
			}
		}
	}()
	return func() { close(stopped); <-ended }
}

// soFar counts the tests that have ended. An event that is being written is read the next time.
func (r *runner) soFar(s suite) string {
	if s.noTests {
		return ""
	}
	tests, _ := readFile(r.json(s))
	sum := tests.Select(func(t results.Test) bool { return t.Outcome != results.Running }).Sum()
	if sum == (results.Sum{}) {
		return ", no test has ended yet"
	}
	return ", " + sum.String()
}

func (r *runner) json(s suite) string { return filepath.Join(r.dir, s.name+".json") }

// short is a file's path from the repository's root.
func (r *runner) short(file string) string {
	if inside, err := filepath.Rel(r.root, file); err == nil {
		return inside
	}
	return file
}

func readFile(name string) (results.Tests, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening results: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	tests, err := results.Read(f)
	if err != nil {
		return tests, fmt.Errorf("reading %s: %w", name, err)
	}
	return tests, nil
}

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/p2pstream/p2pstream/tools/testrun/results"
)

// What is repeated of failed tests at the end; all of it is in the suite's log.
const (
	shownFailures = 20
	shownLines    = 60
)

// usage is what the whole run took of the machine.
type usage struct {
	wall time.Duration
	// busy is the time that all processors spent on work, for whatever program.
	busy       time.Duration
	processors int
}

// sum counts the tests, and the suite's own problem as one failure.
func (r ran) sum() results.Sum {
	s := r.tests.Sum()
	if r.problem != "" {
		s.Failed++
	}
	return s
}

func (r ran) outcome() string {
	switch {
	case r.ok():
		return "passed"
	case r.problem != "":
		return "failed (" + r.problem + ")"
	default:
		return "failed (" + r.sum().String() + ")"
	}
}

// report prints what failed, the table and, as the last line, the sum. It returns whether all passed.
func report(out io.Writer, all []ran, total usage, logs string) bool {
	ok := true
	for _, r := range all {
		if !r.ok() {
			ok = false
			failures(out, r, logs)
		}
	}
	_, _ = fmt.Fprintln(out)
	sum := table(out, all, total.wall)
	_, _ = fmt.Fprintf(out, `
cpu is the user and system time of a suite's processes, compiling included. It lacks the programs on the nodes of
test clusters, which the kernel ends without counting them. All programs of the machine together kept %d processors
busy for %s of %s.
%s
`, total.processors, clock(total.busy), clock(total.wall*time.Duration(total.processors)), sum)
	return ok && sum.Passed > 0
}

// failures repeats the end of what a suite's failed tests printed, and names the skipped ones.
func failures(out io.Writer, r ran, logs string) {
	_, _ = fmt.Fprintf(out, "\n== %s %s; its output is in %s/%s.log\n", r.suite.name, r.outcome(), logs, r.suite.name)
	for _, t := range r.tests.With(results.Skipped) {
		_, _ = fmt.Fprintf(out, "-- skipped: %s\n", t)
	}
	failed := r.tests.Select(func(t results.Test) bool { return t.Outcome == results.Failed || t.Outcome == results.Running })
	for i, t := range failed {
		if i == shownFailures {
			_, _ = fmt.Fprintf(out, "-- and %d more\n", len(failed)-i)
			return
		}
		how := "failed"
		if t.Outcome == results.Running {
			how = "did not end"
		}
		_, _ = fmt.Fprintf(out, "-- %s: %s\n%s", how, t, lastLines(t.Output, shownLines))
	}
}

// lastLines returns at most n lines from the end of a text, each ended.
func lastLines(text string, n int) string {
	if text = strings.TrimRight(text, "\n"); text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("   (%d lines before)", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// table prints one row for each suite, and returns the sum of all.
func table(out io.Writer, all []ran, total time.Duration) results.Sum {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	defer w.Flush() //nolint:errcheck // a terminal that is gone reads nothing
	line := func(cells ...string) { _, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) }
	counts := func(s results.Sum) string {
		return strconv.Itoa(s.Passed) + "\t" + strconv.Itoa(s.Failed) + "\t" + strconv.Itoa(s.Skipped)
	}
	line("suite", "wall", "cpu", "passed", "failed", "skipped")
	var sum results.Sum
	var cpu time.Duration
	for _, r := range all {
		sum.Add(r.sum())
		cpu += r.cpu
		own := ran{suite: r.suite, problem: r.problem, tests: r.of(r.suite.name)}
		cells := counts(own.sum())
		if r.suite.noTests && r.problem == "" {
			cells = "\t\t"
		}
		line(r.suite.name, clock(r.wall), clock(r.cpu), cells, remark(r))
		for _, name := range r.suite.parts() {
			line(name, "in "+r.suite.name, "", counts(r.of(name).Sum()), "")
		}
	}
	line("all", clock(total), clock(cpu), counts(sum), "")
	return sum
}

func remark(r ran) string {
	if r.problem != "" {
		return r.problem
	}
	return r.note
}

// clock is a duration in minutes and seconds.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%dm%02ds", s/60, s%60)
}

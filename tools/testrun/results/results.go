package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Outcome is how a test ended, in the words of `go test -json`.
type Outcome string

// The outcomes. A test that has started and has not ended is Running.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
	Running Outcome = "run"
)

// maxOutput bounds the output that is kept of one test, in bytes; what is kept is its end.
const maxOutput = 16 << 10

// Test is one test or subtest. A package that failed without a failing test (it did not build, or its
// process died) is a Test without a Name.
type Test struct {
	Package, Name string
	Outcome       Outcome
	// Output is the end of what a failed or running test printed.
	Output string
}

// String names the test as a person looks for it.
func (t Test) String() string {
	if t.Name == "" {
		return t.Package + " (did not build, or its process died)"
	}
	return t.Package + " " + t.Name
}

// Tests are the tests of one event stream, sorted by package and name.
type Tests []Test

// Select returns the tests for which keep is true.
func (ts Tests) Select(keep func(Test) bool) Tests {
	var kept Tests
	for _, t := range ts {
		if keep(t) {
			kept = append(kept, t)
		}
	}
	return kept
}

// With returns the tests that ended with an outcome.
func (ts Tests) With(o Outcome) Tests { return ts.Select(func(t Test) bool { return t.Outcome == o }) }

// Sum counts the tests. A test that has not ended counts as failed.
func (ts Tests) Sum() Sum {
	var s Sum
	for _, t := range ts {
		switch t.Outcome {
		case Passed:
			s.Passed++
		case Skipped:
			s.Skipped++
		default:
			s.Failed++
		}
	}
	return s
}

// Sum counts tests and subtests by outcome.
type Sum struct{ Passed, Failed, Skipped int }

// Add adds the counts of other.
func (s *Sum) Add(other Sum) {
	s.Passed += other.Passed
	s.Failed += other.Failed
	s.Skipped += other.Skipped
}

// String is the line that `make test` ends with.
func (s Sum) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", s.Passed, s.Failed, s.Skipped)
}

// event is one line of `go test -json` (go doc test2json). Events of the compiler carry ImportPath in
// the place of Package, and a failed package names the one that did not build in FailedBuild.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

type key struct{ pkg, name string }

// reader collects what the events of one stream say.
type reader struct {
	tests  map[key]Outcome
	output map[key]string
	failed []event // packages
}

// Read reads one event stream to its end. Where it ends in the middle of an event, as that of a suite
// that still runs does, Read returns what came before together with the error.
func Read(r io.Reader) (Tests, error) {
	in := reader{tests: map[key]Outcome{}, output: map[key]string{}}
	dec := json.NewDecoder(r)
	for {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return in.result(), nil
		} else if err != nil {
			return in.result(), fmt.Errorf("decoding event: %w", err)
		}
		in.add(e)
	}
}

func (in *reader) add(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "run":
		in.tests[k] = Running
	case "output":
		in.keep(k, e.Output)
	case "build-output":
		in.keep(key{pkg: e.ImportPath}, e.Output)
	case "pass", "skip":
		delete(in.output, k) // only failures are shown
		if e.Test != "" {
			in.tests[k] = Outcome(e.Action)
		}
	case "fail":
		if e.Test != "" {
			in.tests[k] = Failed
		} else {
			in.failed = append(in.failed, e)
		}
	}
}

func (in *reader) keep(k key, text string) {
	all := in.output[k] + text
	if extra := len(all) - maxOutput; extra > 0 {
		all = all[extra:]
	}
	in.output[k] = all
}

func (in *reader) result() Tests {
	var ts Tests
	failing := map[string]bool{}
	for k, o := range in.tests {
		t := Test{Package: k.pkg, Name: k.name, Outcome: o}
		if o == Failed || o == Running {
			failing[k.pkg] = true
			t.Output = in.output[k]
		}
		ts = append(ts, t)
	}
	for _, e := range in.failed {
		if !failing[e.Package] {
			out := in.output[key{pkg: e.FailedBuild}] + in.output[key{pkg: e.Package}]
			ts = append(ts, Test{Package: e.Package, Outcome: Failed, Output: out})
		}
	}
	sort.Slice(ts, func(i, j int) bool {
		if c := strings.Compare(ts[i].Package, ts[j].Package); c != 0 {
			return c < 0
		}
		return ts[i].Name < ts[j].Name
	})
	return ts
}

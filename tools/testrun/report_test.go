package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/tools/testrun/results"
)

func test(name string, o results.Outcome, output string) results.Test {
	return results.Test{Package: "p", Name: name, Outcome: o, Output: output}
}

func TestReport(t *testing.T) {
	t.Parallel()
	all := []ran{
		{suite: suite{name: "prepare", noTests: true}, wall: time.Minute, cpu: 100 * time.Second},
		{
			suite: suite{name: "unit", split: map[string]string{"TestVector": "vectors"}}, wall: 61 * time.Second, cpu: 2 * time.Second,
			tests: results.Tests{test("TestA", results.Passed, ""), test("TestA/b", results.Passed, ""), test("TestVectorX", results.Passed, "")},
		},
		{suite: suite{name: "cluster"}, note: "not run: unchanged", tests: results.Tests{test("TestA", results.Passed, "")}},
	}
	var out strings.Builder
	if !report(&out, all, usage{wall: 3 * time.Minute, busy: 2 * time.Minute, processors: 2}, "bin/results") {
		t.Error("a run without failures is not ok")
	}
	want := `
suite    wall     cpu    passed  failed  skipped
prepare  1m00s    1m40s
unit     1m01s    0m02s  2       0       0
vectors  in unit         1       0       0
cluster  0m00s    0m00s  1       0       0  not run: unchanged
all      3m00s    1m42s  4       0       0

cpu is the user and system time of a suite's processes, compiling included. It lacks the programs on the nodes of
test clusters, which the kernel ends without counting them. All programs of the machine together kept 2 processors
busy for 2m00s of 6m00s.
4 passed, 0 failed, 0 skipped
`
	if got := regexp.MustCompile(` +\n`).ReplaceAllString(out.String(), "\n"); got != want {
		t.Errorf("report is\n%s\nwant\n%s", got, want)
	}
}

func TestReportRepeatsFailures(t *testing.T) {
	t.Parallel()
	var long strings.Builder
	for i := range shownLines + 5 {
		_, _ = fmt.Fprintf(&long, "line %d\n", i)
	}
	all := []ran{
		{suite: suite{name: "a"}, tests: results.Tests{test("TestLong", results.Failed, long.String()), test("TestOn", results.Running, "hangs\n"), test("TestSkip", results.Skipped, "")}},
		{suite: suite{name: "b"}, problem: "ran no test of b"},
	}
	var out strings.Builder
	if report(&out, all, usage{}, "bin/results") {
		t.Error("a run with failures is ok")
	}
	for _, want := range []string{
		"== a failed (0 passed, 2 failed, 1 skipped); its output is in bin/results/a.log\n-- skipped: p TestSkip\n-- failed: p TestLong\n   (5 lines before)\nline 5\n",
		"line 64\n-- did not end: p TestOn\nhangs\n",
		"== b failed (ran no test of b); its output is in bin/results/b.log\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("report lacks %q:\n%s", want, &out)
		}
	}
	if !strings.HasSuffix(out.String(), "\n0 passed, 3 failed, 1 skipped\n") {
		t.Errorf("the last line is not the sum:\n%s", &out)
	}
}

func TestNothingPassedIsAFailure(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if report(&out, []ran{{suite: suite{name: "prepare", noTests: true}}}, usage{}, "bin/results") {
		t.Error("a run without a test is ok")
	}
}

// Each suite is a target of the Makefile and is in the plan once.
func TestPlanNamesTargets(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range plan() {
		for _, l := range r {
			for _, s := range l {
				targets := []string{s.name}
				if s.onChange != nil {
					targets = append(targets, s.onChange.otherwise)
					for _, folder := range s.onChange.folders {
						if _, err := os.Stat("../../" + folder); err != nil {
							t.Errorf("%s: %v", s.name, err)
						}
					}
				}
				for _, target := range targets {
					if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
						t.Errorf("the Makefile has no target %s", target)
					}
				}
				names = append(append(names, s.name), s.parts()...)
			}
		}
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("a suite is in the plan twice: %v", names)
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	kept, unknown := only(plan(), []string{"deploy", "vectors", "nosuch"})
	var names []string
	for _, r := range kept {
		for _, l := range r {
			for _, s := range l {
				names = append(names, s.name)
			}
		}
	}
	if !slices.Equal(names, []string{"prepare", "unit", "deploy"}) || !slices.Equal(unknown, []string{"nosuch"}) {
		t.Errorf("kept %v, unknown %v", names, unknown)
	}
	var stderr strings.Builder
	if code := run(t.Context(), []string{"-only", "nosuch"}, &stderr, &stderr); code != 2 || !strings.Contains(stderr.String(), "no suite nosuch") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}

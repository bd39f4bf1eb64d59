package main

import (
	"maps"
	"slices"
	"strings"
)

// suite is one make target that is run, measured and counted.
type suite struct {
	// name is the make target, the stem of the suite's files in bin/results and the name of its row.
	name string
	// noTests is set for a step that prepares what the suites use.
	noTests bool
	// split names further suites whose tests this run holds, by the prefix of their tests' names. Each
	// has a row of its own.
	split map[string]string
	// onChange is set where a part of the suite runs only when files changed.
	onChange *onChange
}

// onChange says when all of a suite has to run: when its files, the Go version or the kernel are not
// those of its last success on this machine, and always with CI_FULL=1.
type onChange struct {
	// folders decide, below the repository's root.
	folders []string
	// otherwise is the make target for the part that always runs.
	otherwise string
	// left names the part that does not run then.
	left string
}

// A round is a list of lanes that run beside each other. The suites of a lane run one after the other.
type (
	lane  []suite
	round []lane
)

// timed reports whether the round holds suites that a slow machine disturbs. Those that only compile are none.
func (r round) timed() bool {
	return slices.ContainsFunc(r, func(l lane) bool { return slices.ContainsFunc(l, func(s suite) bool { return !s.noTests }) })
}

// plan is what `make test` runs: one round after the other. Suites that measure latency, or watch players
// that stall when the processors are busy, have a round to themselves. Suites that mostly wait for time to
// pass share one. This is the only place that decides it.
func plan() []round {
	return []round{
		{{{name: "prepare", noTests: true}}}, // compiles what the suites use, on every processor
		{{{name: "unit", split: map[string]string{"TestVector": "vectors", "Fuzz": "fuzz-seeds"}}}},
		{{{name: "cluster", onChange: &onChange{folders: []string{"test/cluster", "tools/oci"}, otherwise: "cluster-unit", left: "bring-ups"}}}},
		// These compile, compare files, or wait for alerts and leaks.
		{{{name: "tools"}}, {{name: "deploy"}, {name: "sdk"}}, {{name: "soak"}}, {{name: "prometheus"}}},
		{{{name: "hostile"}}},                      // it floods the processors: what plays beside it leaves its peers for the origin
		{{{name: "eclipse"}}, {{name: "players"}}}, // these wait
		{{{name: "peers"}, {name: "shares"}}},
		{{{name: "foreign"}}, {{name: "origins"}, {name: "seeders"}}}, // these keep half of the processors busy together
		{{{name: "interop"}, {name: "firefox"}}},
		{{{name: "e2e"}}},
		{{{name: "entrances"}, {name: "docs-test"}}},
	}
}

// only keeps the suites that have a row of these names, and the preparation. It returns the names that are
// unknown.
func only(rounds []round, names []string) (kept []round, unknown []string) {
	found := map[string]bool{}
	for _, r := range rounds {
		var keptRound round
		for _, l := range r {
			var keptLane lane
			for _, s := range l {
				keep := s.noTests
				for _, row := range append(s.parts(), s.name) {
					if slices.Contains(names, row) {
						keep, found[row] = true, true
					}
				}
				if keep {
					keptLane = append(keptLane, s)
				}
			}
			if keptLane != nil {
				keptRound = append(keptRound, keptLane)
			}
		}
		if keptRound != nil {
			kept = append(kept, keptRound)
		}
	}
	for _, name := range names {
		if !found[name] {
			unknown = append(unknown, name)
		}
	}
	return kept, unknown
}

// row is the name of the row that a test counts in. Subtests follow their test.
func (s suite) row(test string) string {
	for prefix, name := range s.split {
		if strings.HasPrefix(test, prefix) {
			return name
		}
	}
	return s.name
}

// parts are the names of the rows that are split off, sorted.
func (s suite) parts() []string {
	return slices.Sorted(maps.Values(s.split))
}

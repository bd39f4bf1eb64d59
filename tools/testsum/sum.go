package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
)

// Sum counts tests and subtests by outcome. Broken and Ignored name them, sorted.
type Sum struct {
	Passed, Failed, Skipped int
	Broken, Ignored         []string
}

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

type event struct {
	Action, Package, ImportPath, Test string
}

// Read adds up one event stream as `go test -json` writes it. A package that fails without a
// failing test (it did not build, or its process died) counts as one failure, and so does a test
// that started and never ended.
func Read(r io.Reader) (Sum, error) {
	outcome := map[[2]string]string{}
	failedTests := map[string]int{}
	var packages []string
	dec := json.NewDecoder(r)
	for {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Sum{}, fmt.Errorf("decoding event: %w", err)
		}
		key := [2]string{e.Package, e.Test}
		switch e.Action {
		case "run":
			outcome[key] = "fail"
		case "pass", "fail", "skip":
			if e.Test != "" {
				outcome[key] = e.Action
			} else if e.Action == "fail" {
				packages = append(packages, e.Package)
			}
		}
	}
	var s Sum
	for key, action := range outcome {
		name := key[0] + " " + key[1]
		switch action {
		case "pass":
			s.Passed++
		case "skip":
			s.Skipped++
			s.Ignored = append(s.Ignored, name)
		default:
			s.Failed++
			failedTests[key[0]]++
			s.Broken = append(s.Broken, name)
		}
	}
	for _, p := range packages {
		if failedTests[p] == 0 {
			s.Failed++
			s.Broken = append(s.Broken, p+" (did not build or died)")
		}
	}
	sort.Strings(s.Broken)
	sort.Strings(s.Ignored)
	return s, nil
}

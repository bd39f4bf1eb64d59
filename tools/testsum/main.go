// Command testsum adds up the results of several test suites and prints one line,
// "N passed, N failed, N skipped". It reads the event streams of `go test -json`, one file per
// suite. It exits 1 if anything failed or was skipped, if no test ran at all, or if a required
// suite ran no test.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	require := flag.String("require", "", "comma-separated suites that must have run at least one test")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: testsum [-require SUITE,…] DIR   (DIR holds SUITE.json files)")
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ok, err := run(flag.Arg(0), *require)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(dir, require string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return false, fmt.Errorf("listing results: %w", err)
	}
	var total Sum
	ran := map[string]bool{}
	ok := true
	for _, file := range files {
		sum, err := readFile(file)
		if err != nil {
			return false, err
		}
		suite := strings.TrimSuffix(filepath.Base(file), ".json")
		fmt.Printf("%-12s %s\n", suite, sum)
		for _, name := range sum.Broken {
			fmt.Printf("%-12s   failed: %s\n", "", name)
		}
		for _, name := range sum.Ignored {
			fmt.Printf("%-12s   skipped: %s\n", "", name)
		}
		ran[suite] = sum.Passed+sum.Failed > 0
		total.Add(sum)
	}
	for suite := range strings.SplitSeq(require, ",") {
		if suite != "" && !ran[suite] {
			fmt.Printf("%-12s ran no test\n", suite)
			ok = false
		}
	}
	fmt.Println(total)
	return ok && total.Passed > 0 && total.Failed == 0 && total.Skipped == 0, nil
}

func readFile(name string) (Sum, error) {
	f, err := os.Open(name)
	if err != nil {
		return Sum{}, fmt.Errorf("opening results: %w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading only
	sum, err := Read(f)
	if err != nil {
		return Sum{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return sum, nil
}

// Command testrun is `make test`: it runs the suites of the repository as make targets in the order of a
// plan, says how far they are, repeats what failed, and ends with a table of wall and CPU time and the line
// "N passed, N failed, N skipped". It exits 1 if anything failed or was skipped, or if a suite ran no test.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const progressInterval = 30 * time.Second

func main() {
	if len(os.Args) > 1 && os.Args[1] == measureCommand {
		code, err := measure(os.Args[2:])
		if err != nil {
			fmt.Fprintln(os.Stderr, "testrun:", err)
			code = 1
		}
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends this program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit status: 1 where something failed, 2 for unusable arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("testrun", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", ".", "`DIR` of the repository")
	names := flags.String("only", "", "comma-separated `SUITES` to run (default: all)")
	full := flags.Bool("full", os.Getenv("CI_FULL") == "1", "run what did not change since its last success, too (or CI_FULL=1)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	rounds := plan()
	if *names != "" {
		var unknown []string
		if rounds, unknown = only(rounds, strings.Split(*names, ",")); len(unknown) > 0 {
			_, _ = fmt.Fprintf(stderr, "testrun: --only: there is no suite %s; the suites are in tools/testrun/plan.go\n", strings.Join(unknown, ", "))
			return 2
		}
	}
	ok, err := runPlan(ctx, *root, *full, rounds, stdout)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "testrun:", err)
	}
	if err != nil || !ok {
		return 1
	}
	return 0
}

func runPlan(ctx context.Context, root string, full bool, rounds []round, out io.Writer) (bool, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return false, fmt.Errorf("finding the repository: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("finding this program: %w", err)
	}
	logs := filepath.Join("bin", "results")
	r := &runner{root: root, dir: filepath.Join(root, logs), full: full, every: progressInterval, pace: pace, out: out}
	r.command = func(target string) []string {
		return []string{self, measureCommand, "make", "--no-print-directory", "PREPARED=" + prepared(target), target}
	}
	if err := errors.Join(os.RemoveAll(r.dir), os.MkdirAll(r.dir, 0o755)); err != nil { //nolint:gosec // test results are no secret
		return false, fmt.Errorf("clearing old results: %w", err)
	}
	began := time.Now()
	before, err := busy()
	if err != nil {
		return false, err
	}
	all := r.run(ctx, rounds)
	after, err := busy()
	if err != nil {
		return false, err
	}
	return report(out, all, usage{wall: time.Since(began), busy: after - before, processors: runtime.NumCPU()}, logs), nil
}

// prepared tells a target that what it uses has been built.
func prepared(target string) string {
	if target == "prepare" {
		return ""
	}
	return "1"
}

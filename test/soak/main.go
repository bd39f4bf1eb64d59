// Command soak runs the real programs for hours while viewers come and go,
// players change rendition and seeders are restarted, and judges whether memory,
// goroutines and descriptors stay where they are.
//
//	go run ./test/soak --for 2h --out DIR
//	go run ./test/soak graph --csv DIR/samples.csv --out soak.svg
//	go run ./test/soak judge --in DIR
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/program"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "soak: %v\n", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	name, rest := "", args
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, rest = args[0], args[1:]
	}
	f := flag.NewFlagSet("soak "+name, flag.ContinueOnError)
	f.SetOutput(out)
	switch name {
	case "":
		length := f.Duration("for", 2*time.Hour, "how long viewers come and go")
		dir := f.String("out", "", "directory for samples, events, logs, graph and summary")
		binary := f.String("binary", "", "p2pstream binary (default: built from this repository)")
		seed := f.Uint64("seed", 1, "of all that is left to chance")
		if err := parse(f, rest, "out"); err != nil {
			return err
		}
		return soakAndJudge(ctx, *length, *binary, *dir, *seed, out)
	case "graph":
		csv := f.String("csv", "", "samples.csv of a soak, which may still run; events.csv is beside it")
		svg := f.String("out", "soak.svg", "file for the graph")
		if err := parse(f, rest, "csv"); err != nil {
			return err
		}
		return graph(*csv, *svg)
	case "judge":
		dir := f.String("in", "", "directory of a soak")
		if err := parse(f, rest, "in"); err != nil {
			return err
		}
		return judgeFiles(*dir, out)
	}
	return fmt.Errorf("%q is unknown; use graph, judge, or flags alone to soak", name)
}

// parse reads flags, of which one must be given.
func parse(f *flag.FlagSet, args []string, must string) error {
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q is no flag", f.Arg(0))
	}
	if f.Lookup(must).Value.String() == "" {
		return fmt.Errorf("--%s is missing", must)
	}
	return nil
}

func soakAndJudge(ctx context.Context, length time.Duration, binary, dir string, seed uint64, out io.Writer) error {
	p, err := planFor(length)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making --out: %w", err)
	}
	if binary == "" {
		if binary, err = program.Binary(); err != nil {
			return err
		}
	}
	err = run(ctx, p, binary, dir, seed, out)
	return errors.Join(err,
		graph(filepath.Join(dir, samplesFile), filepath.Join(dir, "soak.svg")), judgeFiles(dir, out))
}

// versionOf asks the binary.
func versionOf(binary string) string {
	text, err := exec.Command(binary, "version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

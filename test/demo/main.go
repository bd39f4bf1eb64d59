// Command demo shows p2pstream on a real cluster: it starts one on this machine (or uses an existing one),
// deploys the operator, an origin and a P2PNetwork with two streams, starts viewers in two offices, and shows the status of
// both until it is stopped. Then it removes what it has created, and nothing else. It is what
// `make demo` runs; where no cluster can be started it runs `p2pstream demo`, in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// Exit codes, the same as those of p2pstream.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout *os.File, stderr io.Writer) int {
	opts, err := parseOptions(args, os.Getenv, stdout)
	if errors.Is(err, errHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "demo: %v\ndemo: run scripts/demo.sh --help for the options and an example\n", err)
		return exitUsage
	}
	kind, why, err := chooseMode(opts, facts{os: runtime.GOOS, uid: os.Geteuid()})
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "demo: %v\n", err)
		return exitUsage
	}
	if why != "" {
		_, _ = fmt.Fprintf(stdout, "demo: %s\n", why)
	}
	ctx, cancel, stop := signals(stderr)
	defer stop()
	if kind == modeInProcess {
		err = runInProcess(ctx, opts)
	} else {
		err = newDemo(opts, kind, newUI(stdout, cancel)).run(ctx)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "demo: %v\n", err)
		return exitFailure
	}
	return 0
}

// signals returns a context that ends at the first signal, and a function that ends it too. A later Ctrl-C
// only prints that removal is in progress: a demo that ended there would leave a cluster behind. SIGPIPE is
// included, because the demo must also remove its cluster when its reader has ended (make demo | head).
func signals(stderr io.Writer) (ctx context.Context, cancel, stop func()) {
	ctx, cancel = context.WithCancel(context.Background())
	got := make(chan os.Signal, 8)
	signal.Notify(got, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-got:
				if ctx.Err() != nil && s == os.Interrupt {
					_, _ = fmt.Fprintln(stderr, "demo: still removing what this run created; this takes a few seconds")
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return ctx, cancel, func() {
		signal.Stop(got)
		close(done)
		cancel()
	}
}

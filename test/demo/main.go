// Command demo shows p2pstream on a real cluster: it starts one on this machine (or takes one that is
// there), deploys the operator, a demo origin and one P2PStream, lets viewers in two offices play, and
// shows what the stream's status says, until it is stopped. Then it removes what it made and nothing
// else. It owns `make demo`; where no cluster can be started it runs `p2pstream demo`, in one process.
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
		_, _ = fmt.Fprintf(stderr, "demo: %v\ndemo: run scripts/demo.sh --help to see what can be given, with an example\n", err)
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

// signals returns a context that the first signal ends, and a function that ends it too. Later ones only say that removing is under
// way: a demo that is cut off there would leave a cluster behind. SIGPIPE is among them because a
// reader that went away (make demo | head) must not cut it off either.
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
					_, _ = fmt.Fprintln(stderr, "demo: removing what this run made; it takes a few seconds more")
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

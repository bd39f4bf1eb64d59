// Command p2pstream is every program of p2pstream: its subcommands are the
// tracker, the STUN server, seeders, viewers, a demo origin, and all of them
// together in one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

// Exit codes, a contract with scripts and kubelets.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal drains; from then on a second one ends at once.
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "p2pstream: %v\n", err)
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(os.Stderr, "p2pstream: run with --help to see what can be given, with an example")
		return exitUsage
	}
	return exitFailure
}

// usageError marks errors in what was given, as opposed to what went wrong.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "p2pstream",
		Short: "An enterprise CDN: viewers fetch video from each other and from seeders",
		Long: `p2pstream makes the viewers of a stream fetch its segments from each other and
from seeders instead of the CDN. Browsers take part with p2p-media-loader and
nothing but configuration.`,
		Example:       "  p2pstream demo        # everything in one process, with a page to watch",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	log := &logFlags{}
	log.register(root.PersistentFlags())
	root.AddCommand(trackerCommand(log), stunCommand(log), seederCommand(log), viewerCommand(log),
		originCommand(log), demoCommand(log), managerCommand(log), versionCommand())
	for _, c := range root.Commands() {
		c.Args = noArgs
	}
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("%s takes flags only, and no %q", c.Name(), args[0])}
	}
	return nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  p2pstream version",
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), version)
			return err
		},
	}
}

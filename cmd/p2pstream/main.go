// Command p2pstream contains all programs of p2pstream: its subcommands run the
// tracker, the STUN server, seeders, viewers, a test origin, the operator, and a
// demo of everything in one process.
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

// Exit codes; scripts rely on them.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal starts a graceful shutdown; a second one ends the program at once.
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
		fmt.Fprintln(os.Stderr, "p2pstream: run with --help for all flags and an example")
		return exitUsage
	}
	return exitFailure
}

// usageError marks errors in flags and configuration, as opposed to failures while running.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "p2pstream",
		Short: "An enterprise CDN: viewers download video from each other and from seeders",
		Long: `With p2pstream, the viewers of a stream download its segments from each other and
from seeders instead of the CDN. Browsers take part with an unmodified
p2p-media-loader and settings from the tracker.`,
		Example:       "  p2pstream demo        # everything in one process, with a player page",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	log := &logFlags{}
	log.register(root.PersistentFlags())
	root.AddCommand(trackerCommand(log), stunCommand(log), seederCommand(log), viewerCommand(log),
		originCommand(log), demoCommand(log), managerCommand(log), sitesCommand(), joinCommand(), policiesCommand(), versionCommand())
	for _, c := range root.Commands() {
		c.Args = noArgs
	}
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q; %s takes only flags", args[0], c.Name())}
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

package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// usageError is an unusable argument: exit status 2, as all programs of this project give.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// app is what every command needs. Results go to out, what happens on the way goes to log.
type app struct {
	out, log io.Writer
	name     string
}

// Execute runs one command line and returns the exit status.
func Execute(ctx context.Context, args []string, out, log io.Writer) int {
	// The cluster's programs are in folders of an administrator's PATH.
	_ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	root := newRoot(&app{out: out, log: log})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		_, _ = fmt.Fprintln(log, "error:", err)
		return 2
	default:
		_, _ = fmt.Fprintln(log, "error:", err)
		return 1
	}
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "cluster",
		Short: "Real multi-node Kubernetes clusters on this machine",
		Long: `Real multi-node Kubernetes clusters on this machine: every node a network namespace with its own
containerd, kubelet and kube-proxy, joined by a WAN that also leads to offices and to the host.`,
		Example: `  cluster up
  export KUBECONFIG=$(cluster kubeconfig)
  cluster load p2pstream.tar
  cluster office paris --rate 20mbit
  cluster exec paris -- curl http://10.200.1.2:30080/
  cluster down`,
		Args: func(_ *cobra.Command, given []string) error {
			if len(given) > 0 {
				return usageError{fmt.Errorf("unknown command %q: see `cluster --help`", given[0])}
			}
			return nil
		},
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(a.out)
	root.SetErr(a.log)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVar(&a.name, "name", plan.DefaultName, "name of the cluster; several can be up at once")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if err := plan.CheckName(a.name); err != nil {
			return usageError{err}
		}
		return nil
	}
	root.AddCommand(a.build(), a.deps(), a.up(), a.down(), a.load(), a.image(), a.kubeconfig(), a.kubectl(), a.path(),
		a.office(), a.offices(), a.exec(), a.nodes(), a.status(), a.masquerade(), a.list(), a.nodeInit())
	return root
}

// needRoot returns an error unless the user is root; it is for commands that change the machine.
func needRoot(cmd *cobra.Command, _ []string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s needs root: it makes network namespaces and mounts (sudo -E %s)", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// args makes a wrong number of arguments a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return usageError{fmt.Errorf("%w: see `%s --help`", err, cmd.CommandPath())}
		}
		return nil
	}
}

func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

func (a *app) println(text string) error {
	_, err := fmt.Fprintln(a.out, text)
	return err
}

package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

const (
	defaultViewers = 6
	maxViewers     = 60
)

// Variables of the environment that stand for flags; make passes on what it is given, as in
// make demo CLUSTER=kind-dev. Flags win.
const (
	forVariable     = "DEMO_FOR"
	clusterVariable = "CLUSTER"
	imageVariable   = "IMAGE"
)

// errHelp: help was asked for and printed.
var errHelp = errors.New("help was printed")

// options is what was asked for.
type options struct {
	file      string        // a stream of the user's own; empty: the live sample
	viewers   int           // in both offices together
	runFor    time.Duration // 0: until stopped
	cluster   string        // kubectl context of a cluster that is there; empty: one of our own
	image     string        // what that cluster can pull
	inProcess bool          // no cluster at all

	passOn []string // flags that only p2pstream demo has
}

// onlyInProcess are flags of `p2pstream demo` that mean nothing on a cluster.
var onlyInProcess = []struct{ name, usage string }{
	{"listen", "host:port of the tracker and its pages"},
	{"log-level", "debug, info, warn or error"},
	{"log-format", "text or json"},
}

// parseOptions reads the command line and the variables.
func parseOptions(args []string, getenv func(string) string, out io.Writer) (options, error) {
	var o options
	asked := false
	given := map[string]*string{}
	c := &cobra.Command{
		Use:   "scripts/demo.sh",
		Short: "Show p2pstream on a real cluster: two nodes, an operator, six viewers in two offices, a live table",
		Long: `Starts a Kubernetes cluster of two nodes on this machine, deploys the operator, a
demo origin and config/samples/p2pstream_live.yaml, starts viewers in two offices
and shows a table that lives. Ctrl-C removes what this run made, and nothing else.

That needs root on Linux. Elsewhere, and with --in-process, everything runs in one
process (p2pstream demo). With --cluster a cluster that is there is used.`,
		Example: `  scripts/demo.sh
  scripts/demo.sh --for 60s                 # exit 0 if the stream is Ready, all viewers are there, offload > 90 %
  scripts/demo.sh -f stream.yaml            # a stream of your own, in one process
  scripts/demo.sh --cluster kind-dev --image registry.example.com/p2pstream:dev
  scripts/demo.sh --in-process --listen 127.0.0.1:8090`,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("flags only, and no %q", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	f := c.Flags()
	f.StringVarP(&o.file, "file", "f", "", "manifest with a P2PStream of your own, for --cluster or in one process; its source.url stays as it is")
	f.IntVar(&o.viewers, "viewers", defaultViewers, "viewers in both offices together")
	f.DurationVar(&o.runFor, "for", 0, "show the table for this long, then exit 0 if all is well and 1 if not (default: "+forVariable+" of the environment, else until stopped)")
	f.StringVar(&o.cluster, "cluster", "", "kubectl context of a cluster that is there; all that is made in it is removed at the end (default: "+clusterVariable+" of the environment)")
	f.StringVar(&o.image, "image", "", "with --cluster: image of p2pstream that the cluster can pull (default: "+imageVariable+" of the environment)")
	f.BoolVar(&o.inProcess, "in-process", false, "no cluster: run p2pstream demo")
	for _, flag := range onlyInProcess {
		given[flag.name] = f.String(flag.name, "", "in one process only: "+flag.usage)
	}
	help := c.HelpFunc()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		asked = true
		help(c, args)
	})
	c.SetOut(out)
	c.SetErr(io.Discard)
	if args == nil {
		args = []string{} // cobra takes nil for the arguments of the process
	}
	c.SetArgs(args)
	if err := c.Execute(); err != nil {
		return o, err
	}
	if asked {
		return o, errHelp
	}
	if text := getenv(forVariable); text != "" && !f.Changed("for") {
		d, err := time.ParseDuration(text)
		if err != nil {
			return o, fmt.Errorf("%s: %q is not a duration; use one such as 60s", forVariable, text)
		}
		o.runFor = d
	}
	if !f.Changed("cluster") && !o.inProcess {
		o.cluster = getenv(clusterVariable)
	}
	if !f.Changed("image") && o.cluster != "" {
		o.image = getenv(imageVariable) // without a cluster it is about something else
	}
	for _, flag := range onlyInProcess {
		if f.Changed(flag.name) {
			o.passOn = append(o.passOn, "--"+flag.name, *given[flag.name])
		}
	}
	return o, o.validate(f.Changed("cluster"), f.Changed("image"))
}

// validate names the first flag that cannot be used. The booleans say which flags were given, because
// an empty context is a mistake in a script and not a wish for a cluster of our own.
func (o options) validate(cluster, image bool) error {
	switch {
	case o.viewers < 0 || o.viewers > maxViewers:
		return fmt.Errorf("--viewers: %d is not between 0 and %d", o.viewers, maxViewers)
	case o.runFor < 0:
		return fmt.Errorf("--for: %s is negative", o.runFor)
	case cluster && o.cluster == "":
		return errors.New("--cluster: is empty; give a context of kubectl config get-contexts")
	case image && o.image == "":
		return errors.New("--image: is empty; give an image that the cluster can pull")
	case o.image != "" && o.cluster == "":
		return errors.New("--image: only with --cluster; a cluster of its own gets an image made from this checkout")
	case o.inProcess && o.cluster != "":
		return errors.New("--in-process: does not go with --cluster")
	}
	return nil
}

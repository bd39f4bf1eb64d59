package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

const (
	defaultViewers = 8
	maxViewers     = 60
)

// Environment variables that set flags, as in make demo CLUSTER=kind-dev. Flags take precedence.
const (
	forVariable     = "DEMO_FOR"
	clusterVariable = "CLUSTER"
	imageVariable   = "IMAGE"
)

// errHelp is returned when --help was given and the help has been printed.
var errHelp = errors.New("help was printed")

// options are the settings of a run.
type options struct {
	file      string        // the user's own stream; empty: the demo's network with its streams
	viewers   int           // in both offices together
	asked     bool          // for that number of viewers
	runFor    time.Duration // 0: until stopped
	cluster   string        // kubectl context of an existing cluster; empty: the demo's own
	image     string        // image that the existing cluster can pull
	inProcess bool          // no cluster

	passOn []string // flags that are passed on to p2pstream demo
}

// onlyInProcess are flags of `p2pstream demo` that have no meaning on a cluster.
var onlyInProcess = []struct{ name, usage string }{
	{"listen", "host:port of the tracker and its pages"},
	{"log-level", "debug, info, warn or error"},
	{"log-format", "text or json"},
}

// parseOptions reads the command line and the environment.
func parseOptions(args []string, getenv func(string) string, out io.Writer) (options, error) {
	var o options
	asked := false
	given := map[string]*string{}
	c := &cobra.Command{
		Use:   "scripts/demo.sh",
		Short: "Show p2pstream on a real cluster: two nodes, an operator, two streams on one network, eight viewers in two offices, a live table",
		Long: `Starts a Kubernetes cluster of two nodes on this machine, deploys the operator, an
origin, and a network with two streams and one entrance (test/demo/manifests/network.yaml),
starts viewers in two offices and shows their figures once a second. Ctrl-C removes
what this run created, and nothing else.

This needs root on Linux. It installs missing Debian packages with apt-get; they
stay. The first run takes about 10 minutes on two idle cores, because it compiles
Kubernetes; later runs take about 2 minutes. A build is stopped only after ` + fmt.Sprintf("%.0f minutes", buildIdle.Minutes()) + `
without progress.

On other systems, without root and with --in-process, one stream runs in one
process (p2pstream demo). With --cluster, an existing cluster is used.`,
		Example: `  scripts/demo.sh
  scripts/demo.sh --for 60s                 # exit 0 if the streams are Ready, all viewers play, offload > 90 %
  scripts/demo.sh -f stream.yaml            # your own stream, in one process
  scripts/demo.sh --cluster kind-dev --image registry.example.com/p2pstream:dev
  scripts/demo.sh --in-process --listen 127.0.0.1:8090`,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: only flags are accepted", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	f := c.Flags()
	f.StringVarP(&o.file, "file", "f", "", "manifest with your own P2PStream, for --cluster or in one process; its source.url is kept")
	f.IntVar(&o.viewers, "viewers", defaultViewers, "viewers of all streams in both offices together; in one process six are the default")
	f.DurationVar(&o.runFor, "for", 0, "show the table for this long, then exit 0 if the streams are healthy and 1 if not (default: $"+forVariable+", else until stopped)")
	f.StringVar(&o.cluster, "cluster", "", "kubectl context of an existing cluster; what the demo creates in it is deleted at the end (default: $"+clusterVariable+")")
	f.StringVar(&o.image, "image", "", "with --cluster: image of p2pstream that the cluster can pull (default: $"+imageVariable+")")
	f.BoolVar(&o.inProcess, "in-process", false, "no cluster: play one stream in one process (p2pstream demo)")
	for _, flag := range onlyInProcess {
		given[flag.name] = f.String(flag.name, "", "with --in-process: "+flag.usage)
	}
	help := c.HelpFunc()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		asked = true
		help(c, args)
	})
	c.SetOut(out)
	c.SetErr(io.Discard)
	if args == nil {
		args = []string{} // cobra replaces nil by the arguments of the process
	}
	c.SetArgs(args)
	if err := c.Execute(); err != nil {
		return o, err
	}
	if asked {
		return o, errHelp
	}
	o.asked = f.Changed("viewers")
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
		o.image = getenv(imageVariable) // without a cluster, IMAGE is meant for make image
	}
	for _, flag := range onlyInProcess {
		if f.Changed(flag.name) {
			o.passOn = append(o.passOn, "--"+flag.name, *given[flag.name])
		}
	}
	return o, o.validate(f.Changed("cluster"), f.Changed("image"))
}

// validate returns an error for the first unusable flag. cluster and image report whether these flags were
// given: an empty context is a mistake in a script, and does not select the demo's own cluster.
func (o options) validate(cluster, image bool) error {
	switch {
	case o.viewers < 0 || o.viewers > maxViewers:
		return fmt.Errorf("--viewers: %d is not between 0 and %d", o.viewers, maxViewers)
	case o.runFor < 0:
		return fmt.Errorf("--for: %s is negative", o.runFor)
	case cluster && o.cluster == "":
		return errors.New("--cluster: is empty; use a context of kubectl config get-contexts")
	case image && o.image == "":
		return errors.New("--image: is empty; use an image that the cluster can pull")
	case o.image != "" && o.cluster == "":
		return errors.New("--image: only with --cluster; the demo's own cluster runs an image built from this checkout")
	case o.inProcess && o.cluster != "":
		return errors.New("--in-process: cannot be combined with --cluster")
	}
	return nil
}

// streams is how many streams the demo has on a cluster.
func (o options) streams() int {
	if o.file != "" {
		return 1
	}
	return 2
}

// scenery describes them in a few words.
func (o options) scenery() string {
	if o.file != "" {
		return "your stream"
	}
	return "two streams on one network"
}

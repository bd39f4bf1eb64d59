package commands

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/test/cluster/internal/binaries"
	"github.com/p2pstream/p2pstream/test/cluster/internal/cluster"
)

func (a *app) kubeconfig() *cobra.Command {
	return &cobra.Command{
		Use:     "kubeconfig",
		Short:   "Print the path of the cluster's kubeconfig (context p2pstream-NAME)",
		Example: "  export KUBECONFIG=$(cluster kubeconfig)",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			s, err := cluster.Load(a.name)
			if err != nil {
				return err
			}
			return a.println(s.Paths().Kubeconfig())
		},
	}
}

func (a *app) path() *cobra.Command {
	return &cobra.Command{
		Use:   "path [PROGRAM]",
		Short: "Print the folder of the built programs, or the path of one; also for controller-runtime's envtest",
		Example: `  cluster path kubectl
  KUBEBUILDER_ASSETS=$(cluster path) go test ./controllers/...`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			source, err := binaries.FindSource()
			if err != nil {
				return err
			}
			set, err := binaries.Find(source)
			if err != nil {
				return err
			}
			if len(given) == 0 {
				return a.println(set.Kube)
			}
			path := filepath.Join(set.Kube, given[0])
			if given[0] == "coredns" {
				path = set.CoreDNS
			}
			if _, err := os.Stat(path); err != nil {
				return usageError{fmt.Errorf("no program %q: ls %s", given[0], set.Kube)}
			}
			return a.println(path)
		},
	}
}

func (a *app) nodes() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "nodes",
		Short:   "List the nodes with their addresses and zones",
		Example: "  cluster nodes --json",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			s, err := cluster.Load(a.name)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(s.Nodes())
			}
			return a.table(func(w *tabwriter.Writer) {
				row(w, "NAME", "IP", "ZONE", "POD CIDR", "NETNS")
				for _, n := range s.Nodes() {
					row(w, n.Name, n.IP, n.Zone, n.PodCIDR, n.Netns)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) list() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the clusters of this machine",
		Example: "  cluster list",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			names, err := cluster.Names()
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := a.println(name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) status() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show what runs; exit status 1 if something does not run",
		Example: "  cluster status",
		Args:    args(cobra.NoArgs),
		PreRunE: needRoot,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := cluster.Inspect(cmd.Context(), a.name)
			if err != nil {
				return err
			}
			if asJSON {
				err = a.printJSON(st)
			} else {
				err = a.printStatus(st)
			}
			if err == nil && !st.Working {
				return fmt.Errorf("cluster %s is not working", a.name)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printStatus(st cluster.Status) error {
	return a.table(func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintf(w, "cluster %s\t%s\tmasquerade %s\t%s\n", st.Name, st.Server, onOff(st.Masquerade), st.Kubeconfig)
		for _, n := range st.Nodes {
			state := "ready"
			if n.Problem != "" {
				state = n.Problem
			}
			row(w, "node "+n.Name, n.IP, n.Zone, state)
		}
		for _, p := range st.Programs {
			state := fmt.Sprintf("pid %d", p.PID)
			if p.PID == 0 {
				state = "not running"
			}
			row(w, p.Place, p.Program, state, p.Log)
		}
		for _, o := range st.Offices {
			row(w, "office "+o.Name, o.Address, o.Rate, fmt.Sprintf("in %d out %d", o.WANBytesIn, o.WANBytesOut))
		}
	})
}

func (a *app) masquerade() *cobra.Command {
	return &cobra.Command{
		Use:   "masquerade on|off",
		Short: "Switch the masquerading of pods behind their node's address when they leave the cluster",
		Long: `Switch the masquerading of pods behind their node's address when they leave the cluster. UDP flows follow
at once; open TCP connections keep the address that they began with.`,
		Example:   "  cluster masquerade on",
		ValidArgs: []string{"on", "off"},
		Args:      args(cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)),
		PreRunE:   needRoot,
		RunE: func(cmd *cobra.Command, given []string) error {
			return cluster.Masquerade(cmd.Context(), a.name, given[0] == onOff(true), a.log)
		},
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (a *app) table(fill func(*tabwriter.Writer)) error {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fill(w)
	return w.Flush()
}

func row(w *tabwriter.Writer, cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			_, _ = fmt.Fprint(w, "\t")
		}
		_, _ = fmt.Fprint(w, cell)
	}
	_, _ = fmt.Fprintln(w)
}

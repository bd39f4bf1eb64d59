package commands

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/test/cluster/internal/cluster"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

func (a *app) office() *cobra.Command {
	var rate string
	var remove bool
	var o plan.Office
	cmd := &cobra.Command{
		Use:   "office NAME",
		Short: "Create or change an office, and print it as JSON",
		Long: `Create an office: a subnet of its own with a default route, behind the WAN's router. Programs run there
with ` + "`cluster exec NAME -- …`" + `. For an office that exists, it applies the flags: without --rate the line is
unlimited, without --drop-udp UDP passes.`,
		Example: `  cluster office paris --rate 20mbit --latency 50ms
  cluster office berlin --drop-udp
  cluster office paris --remove`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			o.Name = given[0]
			if remove {
				if err := needRoot(cmd, given); err != nil {
					return err
				}
				return cluster.RemoveOffice(cmd.Context(), a.name, o.Name, a.log)
			}
			if rate != "" {
				var err error
				if o.Rate, err = plan.ParseRate(rate); err != nil {
					return usageError{err}
				}
			}
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			if err := needRoot(cmd, given); err != nil {
				return err
			}
			info, err := cluster.SetOffice(cmd.Context(), a.name, o, a.log)
			if err != nil {
				return err
			}
			return a.printJSON(info)
		},
	}
	cmd.Flags().StringVar(&rate, "rate", "", "limit of the WAN line in each direction, such as 20mbit (default unlimited)")
	cmd.Flags().DurationVar(&o.Latency, "latency", 50*time.Millisecond, "with --rate: the longest a packet waits in the line's queue before it is dropped")
	cmd.Flags().BoolVar(&o.DropUDP, "drop-udp", false, "drop every UDP packet in and out of the office")
	cmd.Flags().BoolVar(&remove, "remove", false, "remove the office and end the programs inside")
	return cmd
}

func (a *app) offices() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "offices",
		Short:   "List the offices and the bytes that their WAN lines carried",
		Example: "  cluster offices --json",
		Args:    args(cobra.NoArgs),
		PreRunE: needRoot,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := cluster.Offices(cmd.Context(), a.name)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(all)
			}
			return a.table(func(w *tabwriter.Writer) {
				row(w, "NAME", "NETNS", "CIDR", "ADDRESS", "RATE", "UDP", "WAN BYTES IN", "WAN BYTES OUT")
				for _, o := range all {
					udp := "passes"
					if o.DropUDP {
						udp = "dropped"
					}
					row(w, o.Name, o.Netns, o.CIDR, o.Address, o.Rate, udp, fmt.Sprint(o.WANBytesIn), fmt.Sprint(o.WANBytesOut))
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

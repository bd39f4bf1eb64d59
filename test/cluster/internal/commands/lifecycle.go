package commands

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/test/cluster/internal/binaries"
	"github.com/p2pstream/p2pstream/test/cluster/internal/cluster"
	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/nodeinit"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
	"github.com/p2pstream/p2pstream/tools/oci"
)

func (a *app) build() *cobra.Command {
	return &cobra.Command{
		Use:     "build",
		Short:   "Build Kubernetes, etcd and CoreDNS, or find them in the cache; print their folder",
		Example: "  cluster build",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, err := binaries.FindSource()
			if err != nil {
				return err
			}
			set, err := binaries.Ensure(cmd.Context(), source, a.log)
			if err != nil {
				return err
			}
			return a.println(set.Kube)
		},
	}
}

func (a *app) deps() *cobra.Command {
	return &cobra.Command{
		Use:     "deps",
		Short:   "Install the Debian packages that a cluster needs and this machine lacks; none is removed or upgraded",
		Example: "  cluster deps",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, given []string) error {
			missing := host.MissingPackages()
			if len(missing) == 0 {
				return a.println("nothing to install")
			}
			if err := needRoot(cmd, given); err != nil {
				return fmt.Errorf("%s would install %s: %w", cmd.CommandPath(), strings.Join(missing, " "), err)
			}
			if err := a.println("installing " + strings.Join(missing, " ")); err != nil {
				return err
			}
			if err := host.Install(cmd.Context(), missing, a.log); err != nil {
				return err
			}
			if still := host.MissingPackages(); len(still) > 0 {
				return fmt.Errorf("still missing after installing: %s", strings.Join(still, " "))
			}
			return nil
		},
	}
}

func (a *app) up() *cobra.Command {
	var o cluster.Options
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start a cluster; the remains of one that crashed are removed first",
		Example: `  cluster up
  cluster up --name second --nodes 3 --masquerade`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, given []string) error {
			o.Name = a.name
			if err := plan.CheckNodes(o.Nodes); err != nil {
				return usageError{err}
			}
			if err := needRoot(cmd, given); err != nil {
				return err
			}
			s, err := cluster.Up(cmd.Context(), o, a.log)
			if err != nil {
				return err
			}
			return a.println("export KUBECONFIG=" + s.Paths().Kubeconfig())
		},
	}
	cmd.Flags().IntVar(&o.Nodes, "nodes", 2, "how many worker nodes, each a site of its own (label topology.kubernetes.io/zone=siteN)")
	cmd.Flags().BoolVar(&o.Masquerade, "masquerade", false, "pods leave the cluster with their node's address, as with many CNIs")
	cmd.Flags().DurationVar(&o.Wait, "wait", 90*time.Second, "how long to wait until the cluster works, building not included")
	return cmd
}

func (a *app) down() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "down",
		Short:   "Remove a cluster and everything made for it, except the built programs",
		Example: "  cluster down\n  cluster down --all",
		Args:    args(cobra.NoArgs),
		PreRunE: needRoot,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names := []string{a.name}
			if all {
				var err error
				if names, err = cluster.Names(); err != nil {
					return err
				}
			}
			for _, name := range names {
				if err := cluster.Down(cmd.Context(), name, a.log); err != nil {
					return err
				}
				if err := a.println("cluster " + name + " is down"); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove every cluster of this machine")
	return cmd
}

func (a *app) load() *cobra.Command {
	return &cobra.Command{
		Use:   "load FILE.tar…",
		Short: "Load OCI archives into every node",
		Long: `Load OCI archives into every node. An image is named by the annotation io.containerd.image.name in
the archive's index.json; pods use it by that name with imagePullPolicy: IfNotPresent or Never.`,
		Example: "  cluster load p2pstream.tar",
		Args:    args(cobra.MinimumNArgs(1)),
		PreRunE: needRoot,
		RunE: func(cmd *cobra.Command, files []string) error {
			return cluster.LoadImages(cmd.Context(), a.name, files, a.log)
		},
	}
}

func (a *app) image() *cobra.Command {
	var tag, file string
	cmd := &cobra.Command{
		Use:     "image BINARY",
		Short:   "Write an OCI archive that holds one static binary as its entrypoint",
		Example: "  CGO_ENABLED=0 go build -o p2pstream ./cmd/p2pstream\n  cluster image p2pstream --tag localhost/p2pstream:dev --out p2pstream.tar",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, given []string) error {
			if err := oci.CheckName(tag); err != nil {
				return usageError{fmt.Errorf("--tag: %w", err)}
			}
			if file == "" {
				file = filepath.Base(given[0]) + ".tar"
			}
			img, err := oci.FromBinary(given[0], runtime.GOARCH)
			if err != nil {
				return err
			}
			if _, err := oci.Write(file, tag, img); err != nil {
				return err
			}
			return a.println(file)
		},
	}
	cmd.Flags().StringVar(&tag, "tag", "", "the image's name, such as localhost/p2pstream:dev (required)")
	cmd.Flags().StringVar(&file, "out", "", "the archive to write (default BINARY.tar here)")
	return cmd
}

// nodeInit is what `up` starts in each node's namespaces; it is of no use elsewhere.
func (a *app) nodeInit() *cobra.Command {
	return &cobra.Command{
		Use:     cluster.InitCommand + " SPEC",
		Short:   "Run as the first process of a node; `up` starts it",
		Example: "  cluster up",
		Hidden:  true,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return nodeinit.Run(cmd.Context(), given[0], slog.New(slog.NewTextHandler(os.Stderr, nil)))
		},
	}
}

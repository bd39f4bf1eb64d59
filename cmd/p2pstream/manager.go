package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/controllers/manager"
)

func managerCommand(log *logFlags) *cobra.Command {
	var cfg manager.Config
	c := &cobra.Command{
		Use:   "manager",
		Short: "Run the Kubernetes operator: a tracker, STUN and seeders for each P2PStream",
		Long: `Watches P2PStreams and gives each its tracker, STUN servers and seeders, all running
the one image, and reports in status how many are watching and how much of the
traffic never touched the origin.`,
		Example: `  p2pstream manager --image registry.example.com/p2pstream:v1 --leader-elect
  KUBECONFIG=~/.kube/config p2pstream manager --image localhost/p2pstream:dev --watch-namespace media`,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, manager.New) },
	}
	f := c.Flags()
	f.StringVar(&cfg.Image, "image", os.Getenv("P2PSTREAM_IMAGE"), "image that pods of streams run (or P2PSTREAM_IMAGE)")
	f.StringVar(&cfg.ImagePullPolicy, "image-pull-policy", "", "Always, IfNotPresent or Never (default: as the API server has it)")
	f.StringVar(&cfg.MetricsBindAddress, "metrics-bind-address", ":8080", "host:port of /metrics; 0 for none")
	f.StringVar(&cfg.HealthProbeBindAddress, "health-probe-bind-address", ":8081", "host:port of /healthz and /readyz; 0 for none")
	f.BoolVar(&cfg.LeaderElect, "leader-elect", false, "let one of several operators act at a time")
	f.StringVar(&cfg.LeaderElectionNamespace, "leader-election-namespace", "", "namespace of the Lease (default: the pod's own)")
	f.StringArrayVar(&cfg.WatchNamespaces, "watch-namespace", nil, "look after streams of this namespace only; can be repeated")
	f.IntVar(&cfg.MaxConcurrentReconciles, "max-concurrent-reconciles", 8, "streams worked on at a time")
	return c
}

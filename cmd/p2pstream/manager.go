package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/controllers/manager"
)

func managerCommand(log *logFlags) *cobra.Command {
	cfg := manager.Config{Version: version}
	c := &cobra.Command{
		Use:   "manager",
		Short: "Run the Kubernetes operator: a tracker, STUN and seeders for each P2PStream or P2PNetwork",
		Long: `Watches P2PStreams and runs a tracker, STUN servers and seeders for each, all from one
image. The status of each stream shows how many viewers it has and how much of their
traffic did not come from the origin.`,
		Example: `  p2pstream manager --image registry.example.com/p2pstream:v1 --leader-elect
  KUBECONFIG=~/.kube/config p2pstream manager --image localhost/p2pstream:dev --watch-namespace media`,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, manager.New) },
	}
	f := c.Flags()
	f.StringVar(&cfg.Image, "image", os.Getenv("P2PSTREAM_IMAGE"), "image of the pods of all streams (or P2PSTREAM_IMAGE)")
	f.StringVar(&cfg.ImagePullPolicy, "image-pull-policy", "", "Always, IfNotPresent or Never (default: the API server's)")
	f.StringVar(&cfg.MetricsBindAddress, "metrics-bind-address", ":8080", "host:port of /metrics; 0 for none")
	f.StringVar(&cfg.HealthProbeBindAddress, "health-probe-bind-address", ":8081", "host:port of /healthz and /readyz; 0 for none")
	f.StringVar(&cfg.DashboardBindAddress, "dashboard-bind-address", "", "host:port of the dashboard of all streams over HTTPS, for who has a token of the cluster and a role (default: none)")
	f.StringVar(&cfg.DashboardCertDir, "dashboard-cert-dir", "", "directory with tls.crt and tls.key of the dashboard (default: a certificate of its own, which no authority signs)")
	f.BoolVar(&cfg.LeaderElect, "leader-elect", false, "use leader election, so that only one of several operators is active")
	f.StringVar(&cfg.LeaderElectionNamespace, "leader-election-namespace", "", "namespace of the Lease (default: the pod's own)")
	f.StringVar(&cfg.LeaseName, "lease-name", "", "name of the Lease; two installations in one namespace need two (default p2pstream-manager)")
	f.StringVar(&cfg.ControllerName, "controller-name", "", "name by which this installation claims streams; others leave them alone (default: namespace/name of the Lease)")
	f.StringVar(&cfg.PodDefaults, "pod-defaults", "", "YAML file with defaults of spec.pods, such as nodeSelector and env")
	f.BoolVar(&cfg.NetworkPolicies, "network-policies", false, "give the tracker, the STUN servers and the seeders of each stream a NetworkPolicy")
	f.StringArrayVar(&cfg.NetworkPolicyOrigins, "network-policy-origin", nil, "range of addresses to which these let trackers and seeders connect over TCP, such as 203.0.113.0/24; can be repeated (default: all)")
	f.StringVar(&cfg.KeyFile, "key-file", "", "file with the operator's key, from which tokens of P2PNetworks are derived: the mount of --key-secret")
	f.StringVar(&cfg.KeySecret, "key-secret", "", "Secret with the operator's key, in the namespace of the Lease; made if there is none")
	f.StringVar(&cfg.DefaultNetwork, "default-network", "", "NAMESPACE/NAME of the P2PNetwork for streams that name none")
	f.IntVar(&cfg.UpgradeStreams, "upgrade-streams", 2, "streams whose pods a new version or image replaces at a time, those with viewers last; 0 for all at once")
	f.DurationVar(&cfg.UpgradeWhenIdle, "upgrade-when-idle", 0, "how long a stream with viewers waits at most for them to leave before its pods are replaced, such as 24h (default: not at all)")
	f.StringArrayVar(&cfg.WatchNamespaces, "watch-namespace", nil, "watch this namespace only; can be repeated")
	f.IntVar(&cfg.MaxConcurrentReconciles, "max-concurrent-reconciles", 8, "streams reconciled at a time")
	return c
}

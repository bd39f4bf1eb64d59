package manager

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// Config says how the operator runs. It is set by flags only, in the manifest of the operator's Deployment.
type Config struct {
	// Image that every pod of a stream runs.
	Image string `json:"image"`
	// ImagePullPolicy of these pods; empty leaves it to the API server.
	ImagePullPolicy string `json:"imagePullPolicy,omitempty"`
	// MetricsBindAddress and HealthProbeBindAddress are host:port; "0" for none.
	MetricsBindAddress     string `json:"metricsBindAddress"`
	HealthProbeBindAddress string `json:"healthProbeBindAddress"`
	// DashboardBindAddress serves the dashboard of all streams over HTTPS, host:port; empty or "0" for none. DashboardCertDir has
	// tls.crt and tls.key; without it, the certificate is made at the start.
	DashboardBindAddress string `json:"dashboardBindAddress,omitempty"`
	DashboardCertDir     string `json:"dashboardCertDir,omitempty"`
	// LeaderElect lets one of several operators act; the others wait with warm caches.
	LeaderElect bool `json:"leaderElect"`
	// LeaderElectionNamespace holds the Lease; empty is the namespace of the pod that this runs in.
	LeaderElectionNamespace string `json:"leaderElectionNamespace,omitempty"`
	// WatchNamespaces are those whose streams are reconciled; none means all.
	WatchNamespaces []string `json:"watchNamespaces,omitempty"`
	// PodDefaults is a YAML file with defaults of spec.pods; empty: there are none.
	PodDefaults string `json:"podDefaults,omitempty"`
	// NetworkPolicies true gives each component of a stream a NetworkPolicy. NetworkPolicyOrigins are the ranges of addresses to
	// which these let trackers and seeders connect over TCP; none means all.
	NetworkPolicies      bool     `json:"networkPolicies,omitempty"`
	NetworkPolicyOrigins []string `json:"networkPolicyOrigins,omitempty"`
	// UpgradeStreams is how many streams get the pods of a new version, image or defaults of the operator at a time; 0 is all.
	// UpgradeWhenIdle is for how long at most a stream with viewers keeps the pods that it has; 0: it is upgraded last.
	UpgradeStreams  int           `json:"upgradeStreams"`
	UpgradeWhenIdle time.Duration `json:"upgradeWhenIdle,omitempty"`
	// Version of this program.
	Version string `json:"-"`
	// LeaseName is the Lease by which one of several replicas is chosen; empty is DefaultLeaseName. Two installations in one
	// namespace need two.
	LeaseName string `json:"leaseName,omitempty"`
	// ControllerName is the name by which this installation claims streams; empty: namespace/name of its Lease.
	ControllerName string `json:"controllerName,omitempty"`
	// KeyFile is where the pod mounts the Secret of the name KeySecret, in the namespace of the Lease, which the operator makes if
	// there is none. Tokens of networks are derived from it. Empty: the operator serves no networks.
	KeyFile   string `json:"keyFile,omitempty"`
	KeySecret string `json:"keySecret,omitempty"`
	// DefaultNetwork is namespace/name of the P2PNetwork for streams that name none; empty: they have trackers of their own.
	DefaultNetwork string `json:"defaultNetwork,omitempty"`
	// MaxConcurrentReconciles is how many streams are reconciled at a time.
	MaxConcurrentReconciles int `json:"maxConcurrentReconciles"`

	// Rest is the cluster; nil finds it as kubectl does, and in a pod by its service account.
	Rest *rest.Config `json:"-"`
}

// pods are the defaults of spec.pods; nil when there are none.
func (c Config) pods() (*v1.PodsSpec, error) {
	if c.PodDefaults == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(c.PodDefaults)
	if err != nil {
		return nil, fmt.Errorf("--pod-defaults: %w", err)
	}
	pods := &v1.PodsSpec{}
	if err := yaml.UnmarshalStrict(raw, pods); err != nil {
		return nil, fmt.Errorf("--pod-defaults: reading %s: %w; it has the form of spec.pods, such as nodeSelector: {pool: streams}", c.PodDefaults, err)
	}
	if errs := pods.Validate(field.NewPath("pods")); len(errs) > 0 {
		return nil, fmt.Errorf("--pod-defaults: %s: %w", c.PodDefaults, errs.ToAggregate())
	}
	return pods, nil
}

// policies of streams; nil when there are none.
func (c Config) policies() *plan.NetworkPolicies {
	if !c.NetworkPolicies {
		return nil
	}
	return &plan.NetworkPolicies{Origins: c.NetworkPolicyOrigins}
}

// installation identifies what this operator brings to the pods of streams.
func (c Config) installation() (string, error) {
	defaults, err := c.pods()
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal([]any{c.Version, c.Image, c.ImagePullPolicy, defaults})
	if err != nil {
		return "", fmt.Errorf("encoding the installation: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}

// maxWhenIdle is how long streams with viewers may keep former pods at most.
const maxWhenIdle = 30 * 24 * time.Hour

func (c Config) validateUpgrades() error {
	if c.UpgradeStreams < 0 || c.UpgradeStreams > 1000 {
		return fmt.Errorf("--upgrade-streams: %d is not between 0 (all) and 1000", c.UpgradeStreams)
	}
	if c.UpgradeWhenIdle < 0 || c.UpgradeWhenIdle > maxWhenIdle {
		return fmt.Errorf("--upgrade-when-idle: %s is not between 0 and 720h", c.UpgradeWhenIdle)
	}
	return nil
}

// maxOrigins is how many ranges there may be: each is in two policies of every stream.
const maxOrigins = 64

func (c Config) validateOrigins() error {
	if len(c.NetworkPolicyOrigins) > 0 && !c.NetworkPolicies {
		return errors.New("--network-policy-origin has no effect without --network-policies")
	}
	if n := len(c.NetworkPolicyOrigins); n > maxOrigins {
		return fmt.Errorf("--network-policy-origin: %d ranges, want %d at most", n, maxOrigins)
	}
	for _, text := range c.NetworkPolicyOrigins {
		if prefix, err := netip.ParsePrefix(text); err != nil || prefix.Masked().String() != text {
			return fmt.Errorf("--network-policy-origin: %q is not a range of addresses such as 203.0.113.0/24, with no bits set behind its length", text)
		}
	}
	return nil
}

// dashboard tells whether there is a dashboard.
func (c Config) dashboard() bool {
	return c.DashboardBindAddress != "" && c.DashboardBindAddress != "0"
}

// lease is the name of the Lease.
func (c Config) lease() string { return cmp.Or(c.LeaseName, DefaultLeaseName) }

// controller is the name by which streams are claimed. All replicas of an installation have the same.
func (c Config) controller() string {
	return cmp.Or(c.ControllerName, c.ownNamespace()+"/"+c.lease())
}

// ownNamespace is that of the Lease.
func (c Config) ownNamespace() string {
	return cmp.Or(c.LeaderElectionNamespace, os.Getenv("POD_NAMESPACE"), "default")
}

// defaultNetwork is the parsed DefaultNetwork.
func (c Config) defaultNetwork() (name types.NamespacedName, err error) {
	if c.DefaultNetwork == "" {
		return name, nil
	}
	namespace, network, ok := strings.Cut(c.DefaultNetwork, "/")
	if !ok || len(validation.IsDNS1123Label(namespace)) > 0 || len(network) > v1.MaxNetworkNameLength || len(validation.IsDNS1035Label(network)) > 0 {
		return name, fmt.Errorf("--default-network: %q is not NAMESPACE/NAME of a P2PNetwork, such as ecdn/corp", c.DefaultNetwork)
	}
	return types.NamespacedName{Namespace: namespace, Name: network}, nil
}

// Validate finds what cannot work.
func (c Config) Validate() error {
	if c.Image == "" {
		return errors.New("--image: missing; set it, or P2PSTREAM_IMAGE, to the image that pods of streams should run")
	}
	policies := []string{"", string(corev1.PullAlways), string(corev1.PullIfNotPresent), string(corev1.PullNever)}
	if !slices.Contains(policies, c.ImagePullPolicy) {
		return fmt.Errorf("--image-pull-policy: %q is not Always, IfNotPresent or Never", c.ImagePullPolicy)
	}
	for flag, address := range map[string]string{"--metrics-bind-address": c.MetricsBindAddress, "--health-probe-bind-address": c.HealthProbeBindAddress,
		"--dashboard-bind-address": c.DashboardBindAddress} {
		if address == "0" || address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("%s: %q is not host:port; use one such as :8080, or 0 for none", flag, address)
		}
	}
	for _, n := range append([]string{c.LeaderElectionNamespace}, c.WatchNamespaces...) {
		if n != "" && len(validation.IsDNS1123Label(n)) > 0 {
			return fmt.Errorf("%q is not the name of a namespace", n)
		}
	}
	if slices.Contains(c.WatchNamespaces, "") {
		return errors.New("--watch-namespace: empty; omit the flag to watch all namespaces")
	}
	if c.LeaseName != "" && len(validation.IsDNS1123Subdomain(c.LeaseName)) > 0 {
		return fmt.Errorf("--lease-name: %q is not the name of an object", c.LeaseName)
	}
	if len(c.ControllerName) > 320 {
		return fmt.Errorf("--controller-name: %d characters, want 320 at most", len(c.ControllerName))
	}
	if _, err := c.pods(); err != nil {
		return err
	}
	if err := c.validateOrigins(); err != nil {
		return err
	}
	if (c.KeyFile == "") != (c.KeySecret == "") {
		return errors.New("--key-file and --key-secret need each other: where the Secret with the operator's key is mounted, and its name")
	}
	if c.KeySecret != "" && len(validation.IsDNS1123Subdomain(c.KeySecret)) > 0 {
		return fmt.Errorf("--key-secret: %q is not the name of an object", c.KeySecret)
	}
	if _, err := c.defaultNetwork(); err != nil {
		return err
	}
	if err := c.validateUpgrades(); err != nil {
		return err
	}
	if c.MaxConcurrentReconciles < 1 || c.MaxConcurrentReconciles > 256 {
		return fmt.Errorf("--max-concurrent-reconciles: %d is not between 1 and 256", c.MaxConcurrentReconciles)
	}
	return nil
}

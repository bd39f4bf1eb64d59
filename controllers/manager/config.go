package manager

import (
	"errors"
	"fmt"
	"net"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
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
	// LeaderElect lets one of several operators act; the others wait with warm caches.
	LeaderElect bool `json:"leaderElect"`
	// LeaderElectionNamespace holds the Lease; empty is the namespace of the pod that this runs in.
	LeaderElectionNamespace string `json:"leaderElectionNamespace,omitempty"`
	// WatchNamespaces are those whose streams are reconciled; none means all.
	WatchNamespaces []string `json:"watchNamespaces,omitempty"`
	// MaxConcurrentReconciles is how many streams are reconciled at a time.
	MaxConcurrentReconciles int `json:"maxConcurrentReconciles"`

	// Rest is the cluster; nil finds it as kubectl does, and in a pod by its service account.
	Rest *rest.Config `json:"-"`
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
	for flag, address := range map[string]string{"--metrics-bind-address": c.MetricsBindAddress, "--health-probe-bind-address": c.HealthProbeBindAddress} {
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
	if c.MaxConcurrentReconciles < 1 || c.MaxConcurrentReconciles > 256 {
		return fmt.Errorf("--max-concurrent-reconciles: %d is not between 1 and 256", c.MaxConcurrentReconciles)
	}
	return nil
}

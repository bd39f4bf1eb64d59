package exposure

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Target is one thing that viewers reach: the tracker, the STUN servers, or one seeder.
type Target struct {
	Component Component
	// Ordinal of a seeder in its set, from 0.
	Ordinal int32
	// Settings come from the component's exposure in the spec.
	Settings v1.ExposureSettings

	// Name of the target's Service, and the prefix of the names of its other objects.
	Name      string
	Namespace string
	// Labels and Owner of every object.
	Labels map[string]string
	Owner  *metav1ac.OwnerReferenceApplyConfiguration
	// Selector finds the target's pods.
	Selector map[string]string
	// PortName, Protocol and ContainerPort are of the port that the pods listen on, unless Traits.OwnPorts is set.
	PortName      string
	Protocol      corev1.Protocol
	ContainerPort int32
	// PublishNotReady: traffic goes to pods that are not ready, too.
	PublishNotReady bool

	// ViewersOutside: the tracker is reached from outside the cluster, so viewers are to be expected there.
	ViewersOutside bool
	// Ready: at least one pod of the target is ready.
	Ready bool
}

// Strategy is the way by which the target is reached.
func (t Target) Strategy() Strategy { return For(t.Settings.Type) }

// Object is a child, as an apply configuration that knows its own kind and name.
type Object interface {
	runtime.ApplyConfiguration
	GetKind() *string
	GetName() *string
}

// newService returns the target's Service, of type ClusterIP, for a strategy to change. The pods listen on port.
func newService(t Target, port int32) *corev1ac.ServiceApplyConfiguration {
	spec := corev1ac.ServiceSpec().
		WithType(corev1.ServiceTypeClusterIP).
		// In dual-stack clusters, viewers connect over IPv4 and over IPv6.
		WithIPFamilyPolicy(corev1.IPFamilyPolicyPreferDualStack).
		WithSelector(t.Selector).
		WithPorts(corev1ac.ServicePort().
			WithName(t.PortName).
			WithProtocol(t.Protocol).
			WithPort(port).
			WithTargetPort(intstr.FromInt32(port)))
	if n := len(t.Settings.IPFamilies); n > 0 {
		for _, family := range t.Settings.IPFamilies {
			spec.WithIPFamilies(corev1.IPFamily(family))
		}
		if n == 1 {
			spec.WithIPFamilyPolicy(corev1.IPFamilyPolicySingleStack)
		}
	}
	if t.PublishNotReady {
		spec.WithPublishNotReadyAddresses(true)
	}
	return corev1ac.Service(t.Name, t.Namespace).
		WithLabels(t.Labels).
		WithOwnerReferences(t.Owner).
		WithSpec(spec)
}

// trafficPolicy of a target that is exposed by its Service. STUN servers must see the viewers' own addresses: behind address
// translation they tell viewers the wrong ones. Traffic for a seeder goes to one pod, so it best goes to its node at once.
func trafficPolicy(c Component, s v1.ExposureSettings) v1.TrafficPolicy {
	switch c {
	case STUN:
		return v1.TrafficPolicyLocal
	case Seeder:
		return cmp.Or(s.ExternalTrafficPolicy, v1.TrafficPolicyLocal)
	}
	return cmp.Or(s.ExternalTrafficPolicy, v1.TrafficPolicyCluster)
}

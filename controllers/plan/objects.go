package plan

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// owner makes the stream, or the network, the controller of a child, so that the child is deleted with it.
func (p *planner) owner() *metav1ac.OwnerReferenceApplyConfiguration {
	kind, name := v1.Kind, p.stream.Name
	if p.network != nil {
		kind, name = v1.NetworkKind, p.network.Name
	}
	return metav1ac.OwnerReference().
		WithAPIVersion(v1.GroupVersion.String()).
		WithKind(kind).
		WithName(name).
		WithUID(p.stream.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

// configMap adds a ConfigMap with the files of a component. It has the name of the workload.
func (p *planner) configMap(component string, files map[string]string) {
	p.configMapNamed(p.stream.Name+"-"+component, p.labels(component), files)
}

func (p *planner) configMapNamed(name string, labels, files map[string]string) {
	p.configMaps = append(p.configMaps, child{Object: corev1ac.ConfigMap(name, p.stream.Namespace).
		WithLabels(labels).
		WithOwnerReferences(p.owner()).
		WithData(files)})
}

// service adds a Service that only pods of the stream use. Those that viewers use come from package exposure.
func (p *planner) service(name, component string, spec *corev1ac.ServiceSpecApplyConfiguration) {
	p.serviceNamed(name, p.labels(component), spec)
}

func (p *planner) serviceNamed(name string, labels map[string]string, spec *corev1ac.ServiceSpecApplyConfiguration) {
	p.services = append(p.services, child{Object: corev1ac.Service(name, p.stream.Namespace).
		WithLabels(labels).
		WithOwnerReferences(p.owner()).
		WithSpec(spec)})
}

func serviceSpec(selector map[string]string, port *corev1ac.ServicePortApplyConfiguration) *corev1ac.ServiceSpecApplyConfiguration {
	return corev1ac.ServiceSpec().
		WithType(corev1.ServiceTypeClusterIP).
		WithIPFamilyPolicy(corev1.IPFamilyPolicyPreferDualStack).
		WithSelector(selector).
		WithPorts(port)
}

func servicePort(name string, protocol corev1.Protocol, port int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().
		WithName(name).
		WithProtocol(protocol).
		WithPort(port).
		WithTargetPort(intstr.FromInt32(port))
}

func labelSelector(labels map[string]string) *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchLabels(labels)
}

// rollingUpdate starts a new pod before it stops an old one. With a port of the node, a new pod has no room on the node of the
// old one, so one is stopped first: else an update would wait for a further node, which there may not be.
func rollingUpdate(traits exposure.Traits) *appsv1ac.DeploymentStrategyApplyConfiguration {
	surge, unavailable := int32(1), int32(0)
	if traits.HostPort != 0 {
		surge, unavailable = unavailable, surge
	}
	return appsv1ac.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
			WithMaxSurge(intstr.FromInt32(surge)).
			WithMaxUnavailable(intstr.FromInt32(unavailable)))
}

// spreadOf prefers pods in different places, but does not leave a pod unscheduled for it.
func spreadOf(selector map[string]string, key string) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).
		WithTopologyKey(key).
		WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(labelSelector(selector))
}

package plan

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// gracePeriod in seconds is longer than the drain of any program.
const gracePeriod int64 = 20

// pod holds what is specific to the pods of one component.
type pod struct {
	component  string            // subcommand, name of the configuration file and of the container
	configMap  string            // with the configuration; empty: that of the component
	labels     map[string]string // nil: those of the component
	configHash string
	args       []string
	env        []*corev1ac.EnvVarApplyConfiguration
	mounts     []mount
	ports      []*corev1ac.ContainerPortApplyConfiguration
	admin      int32
	resources  resources
}

// podTemplate returns the template of a component's pods. All pods of a stream satisfy the restricted Pod Security
// Standard, have a read-only file system and no access to the API server.
func (p *planner) podTemplate(own pod) *corev1ac.PodTemplateSpecApplyConfiguration {
	if own.configMap == "" {
		own.configMap = p.stream.Name + "-" + own.component
	}
	if own.labels == nil {
		own.labels = p.labels(own.component)
	}
	mounts := append([]mount{configMount(own.configMap)}, own.mounts...)
	container := corev1ac.Container().
		WithName(own.component).
		WithImage(p.facts.Image).
		WithArgs(own.component, "--config="+mountConfig+"/"+own.component+".json", "--log-format=json").
		WithArgs(own.args...).
		WithEnv(own.env...).
		WithEnv(own.resources.env()...).
		WithPorts(own.ports...).
		WithPorts(tcpPort("admin", own.admin)).
		WithResources(own.resources.apply()).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
	if p.facts.PullPolicy != "" {
		container.WithImagePullPolicy(p.facts.PullPolicy)
	}
	probes(container, own.admin)
	spec := corev1ac.PodSpec().
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(gracePeriod).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true). // the user is that of the image, or the one that OpenShift assigns to the namespace
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault)))
	for _, m := range mounts {
		spec.WithVolumes(m.volume)
		container.WithVolumeMounts(corev1ac.VolumeMount().WithName(*m.volume.Name).WithMountPath(m.path).WithReadOnly(!m.writable))
	}
	p.shape.apply(spec, container)
	return corev1ac.PodTemplateSpec().
		WithLabels(overlay(p.shape.Labels, own.labels)).
		WithAnnotations(overlay(p.shape.Annotations, map[string]string{AnnotationConfigHash: own.configHash})).
		WithSpec(spec.WithContainers(container))
}

// probes use the admin port, which answers under any load. They are frequent while a pod starts, so that a stream
// is ready seconds after it was applied, and tolerant later, so that a program with viewers is not restarted early.
func probes(container *corev1ac.ContainerApplyConfiguration, port int32) {
	get := func(path string) *corev1ac.ProbeApplyConfiguration {
		return corev1ac.Probe().WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromInt32(port)))
	}
	container.
		WithStartupProbe(get("/healthz").WithPeriodSeconds(1).WithFailureThreshold(60)).
		WithReadinessProbe(get("/readyz").WithPeriodSeconds(2).WithTimeoutSeconds(5).WithFailureThreshold(3)).
		WithLivenessProbe(get("/healthz").WithPeriodSeconds(10).WithTimeoutSeconds(5).WithFailureThreshold(6))
}

func tcpPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

// exposedPort is a UDP port that is reached at a port of the node, too, if hostPort is not 0.
func exposedPort(name string, port, hostPort int32) *corev1ac.ContainerPortApplyConfiguration {
	exposed := udpPort(name, port)
	if hostPort != 0 {
		exposed.WithHostPort(hostPort)
	}
	return exposed
}

func udpPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolUDP)
}

func fieldEnv(name, path string) *corev1ac.EnvVarApplyConfiguration {
	return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
		WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath(path)))
}

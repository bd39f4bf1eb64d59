package plan

import (
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// tracker adds the tracker's ConfigMap, Services, Certificate and Deployment.
func (p *planner) tracker() error {
	config, err := p.trackerConfig()
	if err != nil {
		return err
	}
	static, err := file(config)
	if err != nil {
		return err
	}
	servers, err := file(append([]string{}, p.stunFile()...))
	if err != nil {
		return err
	}
	files := map[string]string{fileTracker: static, fileSTUN: servers}
	if p.network == nil {
		if files[FileOperators], err = file(append([]string{}, p.facts.Operators...)); err != nil {
			return err
		}
	}
	if p.spec.Sites != nil {
		if files[fileSites], err = p.sitesFile(); err != nil {
			return err
		}
	}
	p.configMap(ComponentTracker, files)
	p.trackerServices()

	if p.trackerTarget().Settings.Host != "" && p.externalURL() == "" {
		// The tracker's own URL is a part of its configuration: a pod started now would be replaced at once.
		p.pending = append(p.pending, Ref{"Deployment", TrackerName(p.stream.Name)})
		return nil
	}
	mounts := append(p.originMounts(), p.tokenMounts()...)
	mounts = append(mounts, p.tokenKeyMounts()...)
	mounts = append(mounts, p.siteMapMounts()...)
	if p.tls() {
		mounts = append(mounts, secretMount("tls", string(p.spec.Tracker.Exposure.TLSSecretName), mountTLS, "tls.crt", "tls.key"))
	}
	template := p.podTemplate(pod{
		component:  ComponentTracker,
		configHash: hash([]byte(static)),
		mounts:     mounts,
		admin:      PortAdmin,
		ports:      []*corev1ac.ContainerPortApplyConfiguration{tcpPort("http", PortTracker), tcpPort("internal", PortTrackerInternal)},
		resources:  orDefault(p.spec.Tracker.Resources, "100m", 64*mebi, 1024*mebi),
	})
	template.Spec.WithTopologySpreadConstraints(p.shape.spread(p.selector(ComponentTracker))...)
	p.deployment(ComponentTracker, 1, template)
	return nil
}

func (p *planner) trackerServices() {
	p.certificate()
	p.expose(p.trackerTarget())
	p.service(TrackerInternalName(p.stream.Name), ComponentTracker, serviceSpec(p.selector(ComponentTracker),
		servicePort("internal", corev1.ProtocolTCP, PortTrackerInternal)))
}

// stun adds the STUN servers' ConfigMap, Service and Deployment, unless STUN is disabled.
func (p *planner) stun() error {
	if !*p.spec.STUN.Enabled {
		return nil
	}
	config, err := stunConfig()
	if err != nil {
		return err
	}
	static, err := file(config)
	if err != nil {
		return err
	}
	p.configMap(ComponentSTUN, map[string]string{fileSTUN: static})

	p.expose(p.stunTarget())

	template := p.podTemplate(pod{
		component:  ComponentSTUN,
		configHash: hash([]byte(static)),
		admin:      PortAdmin,
		ports:      []*corev1ac.ContainerPortApplyConfiguration{exposedPort("stun", PortSTUN, p.traits(exposure.STUN).HostPort)},
		resources:  orDefault(p.spec.STUN.Resources, "50m", 32*mebi, 128*mebi),
	})
	template.Spec.WithTopologySpreadConstraints(p.shape.spread(p.selector(ComponentSTUN), corev1.LabelHostname)...)
	p.deployment(ComponentSTUN, *p.spec.STUN.Replicas, template)
	return nil
}

// minReadySeconds is how long a new pod must be ready before the old one is terminated. A kubelet under load may
// report a pod as ready, then as not ready, and as ready again when it next lists pods, which it does every second.
// Without the pause the old pod would be gone by then, and new viewers would be refused.
const minReadySeconds = 2

// deployment adds a Deployment that starts a new pod before it stops an old one, so that one always answers, except with ports
// of nodes.
func (p *planner) deployment(component string, replicas int32, template *corev1ac.PodTemplateSpecApplyConfiguration) {
	name := p.stream.Name + "-" + component
	p.budget(name, replicas, p.labels(component), p.selector(component))
	p.workloads = append(p.workloads, child{Object: appsv1ac.Deployment(name, p.stream.Namespace).
		WithLabels(p.labels(component)).
		WithOwnerReferences(p.owner()).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(replicas).
			WithSelector(labelSelector(p.selector(component))).
			WithStrategy(rollingUpdate(p.traits(exposure.Component(component)))).
			WithMinReadySeconds(minReadySeconds).
			WithTemplate(template))})
}

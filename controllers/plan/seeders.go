package plan

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// seeders adds the seeders' ConfigMap, Services and StatefulSet, or nothing when none are requested and none are
// left.
//
// With Traits.OwnPorts a seeder must listen on the port that was assigned to it. Its Service is then created first, and
// its pod after the port is known.
func (p *planner) seeders() error {
	wanted := *p.spec.Seeders.Replicas
	if wanted == 0 && p.facts.SeederPods == 0 {
		return nil
	}
	config, err := p.seederConfig()
	if err != nil {
		return err
	}
	static, err := file(config)
	if err != nil {
		return err
	}
	files := map[string]string{fileSeeder: static}
	replicas := wanted
	ports := p.exposeSeeders(max(wanted, p.facts.SeederPods))
	if p.traits(exposure.Seeder).OwnPorts {
		if files[fileICEPorts], err = file(ports); err != nil {
			return err
		}
		// Running pods are not removed when their Services are lost.
		replicas = min(wanted, max(leading(ports), p.facts.SeederPods))
	}
	p.configMap(ComponentSeeder, files)
	set := p.centralSet()
	p.headlessService(set)
	p.statefulSet(set, replicas, p.seederTemplate(hash([]byte(static))))
	return nil
}

// exposeSeeders adds the objects by which each seeder is reached, the draining ones included, and returns the
// seeders' ports by ordinal; 0 is one that is not known yet.
func (p *planner) exposeSeeders(count int32) []int32 {
	ports := make([]int32, 0, count)
	for ordinal := range count {
		t := p.seederTarget(ordinal)
		p.expose(t)
		ports = append(ports, t.Strategy().Port(t, p.reach))
	}
	return ports
}

// leading is the number of known ports before the first unknown one. A StatefulSet cannot leave out an ordinal.
func leading(ports []int32) int32 {
	if first := slices.Index(ports, 0); first >= 0 {
		return int32(first)
	}
	return int32(len(ports))
}

// seederSet are the names and labels of a set of seeders.
type seederSet struct {
	name             string
	labels, selector map[string]string
}

func (p *planner) centralSet() seederSet {
	return seederSet{SeederName(p.stream.Name), Labels(p.stream.Name, ComponentSeeder), Selector(p.stream.Name, ComponentSeeder)}
}

func (p *planner) headlessService(set seederSet) {
	p.serviceNamed(set.name, set.labels,
		serviceSpec(set.selector, servicePort("admin", corev1.ProtocolTCP, PortSeederAdmin)).
			WithClusterIP(corev1.ClusterIPNone).
			WithPublishNotReadyAddresses(true))
}

func (p *planner) statefulSet(set seederSet, replicas int32, template *corev1ac.PodTemplateSpecApplyConfiguration) {
	p.workloads = append(p.workloads, child{Object: appsv1ac.StatefulSet(set.name, p.stream.Namespace).
		WithLabels(set.labels).
		WithOwnerReferences(p.owner()).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithReplicas(replicas).
			WithServiceName(set.name).
			WithSelector(labelSelector(set.selector)).
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().WithType(appsv1.RollingUpdateStatefulSetStrategyType)).
			WithTemplate(template))})
}

func (p *planner) seederTemplate(configHash string) *corev1ac.PodTemplateSpecApplyConfiguration {
	spec := p.spec.Seeders
	traits := p.traits(exposure.Seeder)
	template := p.podTemplate(p.seederPod(configHash, traits))
	template.Spec.
		WithNodeSelector(spec.NodeSelector).
		WithTolerations(tolerations(spec.Tolerations)...).
		WithTopologySpreadConstraints(p.shape.spread(Selector(p.stream.Name, ComponentSeeder), corev1.LabelHostname, corev1.LabelTopologyZone)...)
	return template
}

// seederPod is what all seeders have in common.
func (p *planner) seederPod(configHash string, traits exposure.Traits) pod {
	seeder := pod{
		component:  ComponentSeeder,
		configHash: configHash,
		mounts:     append(p.originMounts(), tokenMount(p.stream.Name)),
		admin:      PortSeederAdmin,
		resources:  p.seederResources(),
	}
	if traits.OwnPorts {
		seeder.args = append(seeder.args, "--ordinal=$(POD_INDEX)")
		seeder.env = append(seeder.env, podIndex())
	} else {
		seeder.ports = append(seeder.ports, udpPort("ice", PortSeeder))
	}
	switch traits.Advertise {
	case exposure.AdvertisePodIP:
		seeder.args = append(seeder.args, "--advertise=$(POD_IP)")
		seeder.env = append(seeder.env, fieldEnv("POD_IP", "status.podIP"))
	case exposure.AdvertiseNodeIP:
		seeder.args = append(seeder.args, "--advertise=$(HOST_IP)")
		seeder.env = append(seeder.env, fieldEnv("HOST_IP", "status.hostIP"))
	case exposure.AdvertiseAddresses: // the addresses are in the configuration
	}
	return seeder
}

func podIndex() *corev1ac.EnvVarApplyConfiguration {
	return fieldEnv("POD_INDEX", "metadata.labels['"+appsv1.PodIndexLabel+"']")
}

func tolerations(in []corev1.Toleration) []*corev1ac.TolerationApplyConfiguration {
	var out []*corev1ac.TolerationApplyConfiguration
	for _, t := range in {
		c := corev1ac.Toleration()
		if t.Key != "" {
			c.WithKey(t.Key)
		}
		if t.Operator != "" {
			c.WithOperator(t.Operator)
		}
		if t.Value != "" {
			c.WithValue(t.Value)
		}
		if t.Effect != "" {
			c.WithEffect(t.Effect)
		}
		if t.TolerationSeconds != nil {
			c.WithTolerationSeconds(*t.TolerationSeconds)
		}
		out = append(out, c)
	}
	return out
}

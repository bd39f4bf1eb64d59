package plan

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// seeders adds the seeders' ConfigMap, Services and StatefulSet, or nothing when none are requested and none are
// left. Where they follow the audience, all of that stays without seeders: then one write starts the first of them, at an
// address that the cluster has assigned before.
//
// With Traits.OwnPorts a seeder must listen on the port that was assigned to it. Its Service is then created first, and
// its pod after the port is known.
func (p *planner) seeders() error {
	wanted, reached := *p.spec.Seeders.Replicas, p.facts.SeederPods
	if p.spec.Seeders.Scale != nil {
		reached = max(reached, 1)
	}
	if wanted == 0 && reached == 0 {
		return nil
	}
	config, err := p.seederConfig(p.traits(exposure.Seeder))
	if err != nil {
		return err
	}
	static, err := file(config)
	if err != nil {
		return err
	}
	files := map[string]string{fileSeeder: static}
	replicas := wanted
	ports, addresses := p.exposeSeeders(max(wanted, reached))
	switch p.traits(exposure.Seeder).Advertise {
	case exposure.AdvertiseAssigned:
		files[fileAdvertise], err = file(addresses)
	case exposure.AdvertiseNodeIP:
		files[fileAdvertise], err = p.nodesFile()
	case exposure.AdvertisePodIP, exposure.AdvertiseAddresses:
	}
	if err != nil {
		return err
	}
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
	p.statefulSet(set, wanted, replicas, p.seederTemplate(hash([]byte(static))))
	return nil
}

// exposeSeeders adds the objects by which each seeder is reached, the draining ones included, and returns the
// seeders' ports by ordinal; 0 is one that is not known yet. Addresses are those that were assigned to seeders, by pod.
func (p *planner) exposeSeeders(count int32) (ports []int32, addresses map[string][]string) {
	ports, addresses = make([]int32, 0, count), map[string][]string{}
	for ordinal := range count {
		t := p.seederTarget(ordinal)
		p.expose(t)
		ports = append(ports, t.Strategy().Port(t, p.reach))
		for _, a := range t.Strategy().Addresses(t, p.reach) {
			addresses[t.Name] = append(addresses[t.Name], a.Host)
		}
	}
	return ports, addresses
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
	return seederSet{SeederName(p.stream.Name), p.labels(ComponentSeeder), p.selector(ComponentSeeder)}
}

func (p *planner) headlessService(set seederSet) {
	p.serviceNamed(set.name, set.labels,
		serviceSpec(set.selector, servicePort("admin", corev1.ProtocolTCP, PortSeederAdmin)).
			WithClusterIP(corev1.ClusterIPNone).
			WithPublishNotReadyAddresses(true))
}

// statefulSet adds seeders. Replicas are those of the wanted ones whose ports are known.
func (p *planner) statefulSet(set seederSet, wanted, replicas int32, template *corev1ac.PodTemplateSpecApplyConfiguration) {
	p.budget(set.name, wanted, set.labels, set.selector)
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
		WithTopologySpreadConstraints(p.shape.spread(p.selector(ComponentSeeder), corev1.LabelHostname, corev1.LabelTopologyZone)...)
	return template
}

// seederPod is what all seeders have in common.
func (p *planner) seederPod(configHash string, traits exposure.Traits) pod {
	seeder := pod{
		component:  ComponentSeeder,
		configHash: configHash,
		mounts:     append(p.originMounts(), p.tokenMounts()...),
		admin:      PortSeederAdmin,
		resources:  p.seederResources(),
	}
	if traits.OwnPorts {
		seeder.args = append(seeder.args, "--ordinal=$(POD_INDEX)")
		seeder.env = append(seeder.env, podIndex())
	} else {
		seeder.ports = append(seeder.ports, exposedPort("ice", seederPort(traits), traits.HostPort))
	}
	switch traits.Advertise {
	case exposure.AdvertisePodIP:
		seeder.args = append(seeder.args, "--advertise=$(POD_IP)")
		seeder.env = append(seeder.env, fieldEnv("POD_IP", "status.podIP"))
	case exposure.AdvertiseNodeIP:
		seeder.args = append(seeder.args, "--advertise=$(HOST_IP)", "--advertise-name=$(NODE_NAME)")
		seeder.env = append(seeder.env, fieldEnv("HOST_IP", "status.hostIP"), fieldEnv("NODE_NAME", "spec.nodeName"))
	case exposure.AdvertiseAssigned:
		seeder.args = append(seeder.args, "--advertise-name=$(POD_NAME)")
		seeder.env = append(seeder.env, fieldEnv("POD_NAME", "metadata.name"))
	case exposure.AdvertiseAddresses: // the addresses are in the configuration
	}
	return seeder
}

// seederPort is the UDP port that seeders without ports of their own listen on.
func seederPort(traits exposure.Traits) int32 { return cmp.Or(traits.HostPort, PortSeeder) }

// nodesFile lists what seeders on each node advertise, where that is not just the address that a pod knows of its node.
func (p *planner) nodesFile() (string, error) {
	families := exposure.SettingsOf(&p.spec, exposure.Seeder).IPFamilies
	listed := map[string][]string{}
	for node, addresses := range p.facts.NodeAddresses {
		if reached := exposure.Reached(addresses, families); len(reached) > 0 {
			listed[node] = reached
		}
	}
	return file(listed)
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

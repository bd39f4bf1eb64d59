package plan

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// EdgeSet is the seeders of one site.
type EdgeSet struct {
	// Name of the ConfigMap, the StatefulSet and the headless Service, and Code, the value of LabelEdge.
	Name, Code string
	// Site is the name of the site.
	Site string
	// Replicas is how many seeders the stream requests, 1 or more.
	Replicas int32

	spec *v1.SiteSeedersSpec
}

// Edges returns the sets of seeders that the sites of a stream request, in the order of the sites.
func Edges(stream *v1.P2PStream) (sets []EdgeSet) {
	if stream.Spec.Sites == nil {
		return nil
	}
	taken := map[string]bool{}
	for i := range stream.Spec.Sites.List {
		site := &stream.Spec.Sites.List[i]
		if site.Seeders == nil {
			continue
		}
		replicas := int32(1)
		if site.Seeders.Replicas != nil {
			replicas = *site.Seeders.Replicas
		}
		if replicas == 0 {
			continue
		}
		code := edgeCode(string(site.Name), taken)
		taken[code] = true
		sets = append(sets, EdgeSet{Name: edgeName(stream.Name, code), Code: code, Site: string(site.Name), Replicas: replicas, spec: site.Seeders})
	}
	return sets
}

// EdgeReplicas is how many seeders the sites of a stream request together.
func EdgeReplicas(stream *v1.P2PStream) (n int32) {
	for _, set := range Edges(stream) {
		n += set.Replicas
	}
	return n
}

// codeLength leaves the name of a StatefulSet short enough for the longest name of a stream: with the revision behind it, it
// is the value of a label. Of 256 sites, two have the same code once in a thousand streams; the later one gets another.
const codeLength = 5

var codes = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// edgeCode names a site in labels and names of objects. Names of sites may have any characters.
func edgeCode(site string, taken map[string]bool) string {
	for n := 0; ; n++ {
		text := site
		if n > 0 {
			text += "\x00" + strconv.Itoa(n)
		}
		sum := sha256.Sum256([]byte(text))
		if code := codes.EncodeToString(sum[:])[:codeLength]; !taken[code] {
			return code
		}
	}
}

func edgeName(stream, code string) string { return stream + "-e" + code }

func (p *planner) edgeSet(name, code string) seederSet {
	set := seederSet{name, p.labels(ComponentEdge), p.selector(ComponentEdge)}
	set.labels[LabelEdge], set.selector[LabelEdge] = code, code
	return set
}

// edges adds what the seeders of sites need. Those of a site that requests none any more keep their Services until they have
// drained.
func (p *planner) edges() error {
	left := maps.Clone(p.facts.EdgePods)
	for _, set := range Edges(p.stream) {
		if err := p.edge(set); err != nil {
			return err
		}
		delete(left, set.Code)
	}
	for _, code := range slices.Sorted(maps.Keys(left)) {
		if validCode(code) {
			p.exposeEdge(p.edgeSet(edgeName(p.stream.Name, code), code), left[code])
		}
	}
	return nil
}

// validCode tells whether a pod's label is one that a plan may have given it.
func validCode(code string) bool {
	return len(code) == codeLength && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

func (p *planner) edge(edge EdgeSet) error {
	config, err := p.seederConfig(p.edgeTraits())
	if err != nil {
		return err
	}
	// The site is in the configuration and not in an argument, where $(…) has a meaning.
	config.Site = edge.Site
	if err := config.Validate(); err != nil {
		return invalidConfig(ComponentEdge, err)
	}
	static, err := file(config)
	if err != nil {
		return err
	}
	set := p.edgeSet(edge.Name, edge.Code)
	files := map[string]string{fileSeeder: static}
	traits := p.edgeTraits()
	pods := p.facts.EdgePods[edge.Code]
	ports := p.exposeEdge(set, max(edge.Replicas, pods))
	replicas := edge.Replicas
	if traits.Advertise == exposure.AdvertiseNodeIP {
		if files[fileAdvertise], err = p.nodesFile(); err != nil {
			return err
		}
	}
	if traits.OwnPorts {
		if files[fileICEPorts], err = file(ports); err != nil {
			return err
		}
		replicas = min(replicas, max(leading(ports), pods))
	}
	p.configMapNamed(set.name, set.labels, files)
	p.headlessService(set)

	own := p.seederPod(hash([]byte(static)), traits)
	own.configMap, own.labels = set.name, set.labels
	template := p.podTemplate(own)
	template.Spec.
		WithNodeSelector(edge.spec.NodeSelector).
		WithTolerations(tolerations(edge.spec.Tolerations)...).
		WithTopologySpreadConstraints(p.shape.spread(set.selector, corev1.LabelHostname)...)
	p.statefulSet(set, edge.Replicas, replicas, template)
	return nil
}

// edgeTraits are those of the seeders of sites.
func (p *planner) edgeTraits() exposure.Traits {
	s := exposure.EdgeSettings(&p.spec)
	return exposure.For(s.Type).Traits(exposure.Seeder, s)
}

// exposeEdge adds the objects by which each seeder of a site is reached, and returns their ports by ordinal; 0 is one that is
// not known yet.
func (p *planner) exposeEdge(set seederSet, count int32) []int32 {
	ports := make([]int32, 0, count)
	for ordinal := range count {
		t := p.target(exposure.Seeder, set.name+"-"+strconv.FormatInt(int64(ordinal), 10))
		t.PortName, t.Protocol, t.ContainerPort = "ice", corev1.ProtocolUDP, PortSeeder
		t.Settings, t.Ordinal = exposure.EdgeSettings(&p.spec), ordinal
		t.Labels, t.Selector = set.labels, map[string]string{appsv1.StatefulSetPodNameLabel: t.Name}
		t.PublishNotReady = true
		p.expose(t)
		ports = append(ports, t.Strategy().Port(t, p.reach))
	}
	return ports
}

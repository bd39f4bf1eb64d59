package plan

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// LabelNetwork holds the name of the network that an object belongs to, where LabelStream holds that of a stream.
const LabelNetwork = "p2pstream.dev/network"

// networkApp is the value of app.kubernetes.io/name, so that a stream and a network of one name select different pods.
const networkApp = "p2pstream-network"

// Where the tracker of a network keeps its table. An emptyDir outlives a crash of the container.
const (
	mountData = "/var/lib/p2pstream"
	fileTable = "table.json"
)

// Where a pod that is new finds the table that the operator wrote last.
const (
	mountTable    = mountConfig + "/table"
	fileKeptTable = "table.json.gz"
)

// MaxKeptTable is how many bytes of a table fit into a ConfigMap, which takes 1 MiB with names and all.
const MaxKeptTable = 1_000_000

// KeptTableKey is the key of the table in it.
const KeptTableKey = fileKeptTable

// KeptTableName is the name of the ConfigMap that keeps a table.
func KeptTableName(network string) string { return NetworkBase(network) + "-table" }

// NetworkBase is what the names of a network's objects begin with.
func NetworkBase(network string) string { return network + "-network" }

// NetworkLabels returns all labels of an object of a network.
func NetworkLabels(network, component string) map[string]string {
	labels := networkSelector(network, component)
	labels[LabelManagedBy] = ManagedBy
	labels[LabelNetwork] = network
	return labels
}

func networkSelector(network, component string) map[string]string {
	labels := Selector(network, component)
	labels["app.kubernetes.io/name"] = networkApp
	return labels
}

// Stand is what trackers and STUN servers of a network are planned from: a stream without a source and seeders. Its children have
// names that begin with its own.
func Stand(network *v1.P2PNetwork) *v1.P2PStream {
	spec := network.Spec.DeepCopy()
	none := int32(0)
	stand := &v1.P2PStream{
		ObjectMeta: metav1.ObjectMeta{Namespace: network.Namespace, Name: NetworkBase(network.Name), UID: network.UID, Generation: network.Generation},
		Spec:       v1.P2PStreamSpec{Tracker: spec.Tracker, STUN: spec.STUN, Sites: spec.Sites, Pods: spec.Pods, Seeders: &v1.SeedersSpec{Replicas: &none}},
	}
	if stand.Spec.Sites != nil {
		for i := range stand.Spec.Sites.List {
			stand.Spec.Sites.List[i].Seeders = nil // streams run them
		}
	}
	stand.Status.Conditions = network.Status.Conditions
	if e := network.Status.Endpoints; e != nil {
		stand.Status.Endpoints = &v1.EndpointsStatus{Announce: e.Announce, STUN: e.STUN}
	}
	return stand
}

// NetworkFacts are the facts of a network beside those of its cluster.
type NetworkFacts struct {
	// TableSecret is the name of the Secret with the token of who changes the table of streams.
	TableSecret string `json:"tableSecret"`
	// Table of streams in gzip, at most MaxKeptTable bytes; nil: it does not fit, and is not kept.
	Table []byte `json:"table,omitempty"`
}

// MakeNetwork plans what the streams of a network share. Errors are as those of Make. Endpoints.Config of the plan is the URL of
// the entrance.
func MakeNetwork(network *v1.P2PNetwork, own NetworkFacts, facts Facts) (Plan, error) {
	if err := facts.check(); err != nil {
		return Plan{}, err
	}
	if errs := network.Validate(); len(errs) > 0 {
		return Plan{}, &InvalidError{errs.ToAggregate()}
	}
	if network.Namespace == "" || own.TableSecret == "" {
		return Plan{}, fmt.Errorf("planning network %s: %w", network.Name, errors.New("its namespace or its token is not known"))
	}
	stand := Stand(network)
	p := &planner{stream: stand, spec: stand.Spec.WithDefaults(), facts: facts, network: network, table: own,
		reach: facts.reach()}
	var err error
	if p.shape, err = shapeOf(facts.Pods, stand.Spec.Pods); err != nil {
		return Plan{}, err
	}
	p.nameCertificate()
	p.endpoints = p.chooseEndpoints()
	p.keepTable()
	for _, component := range []func() error{p.policies, p.tracker, p.stun} {
		if err := component(); err != nil {
			return Plan{}, err
		}
	}
	objects, err := p.objects()
	if err != nil {
		return Plan{}, err
	}
	return Plan{Objects: objects, Pending: p.pending, Endpoints: p.endpoints, Warnings: p.warnings()}, nil
}

// keepTable adds the ConfigMap from which a new pod has its streams while no operator is there to send them. Its content changes with
// the streams and is no part of the pods' configuration: pods that run get tables from the operator.
func (p *planner) keepTable() {
	if p.table.Table == nil {
		return
	}
	p.configMaps = append(p.configMaps, child{Object: corev1ac.ConfigMap(KeptTableName(p.network.Name), p.stream.Namespace).
		WithLabels(p.labels(ComponentTracker)).
		WithOwnerReferences(p.owner()).
		WithBinaryData(map[string][]byte{fileKeptTable: p.table.Table})})
}

// shareTracker makes the configuration of a tracker of one stream that of a tracker with a table.
func (p *planner) shareTracker(c *tracker.Config) {
	if p.network == nil {
		return
	}
	c.Streams = &tracker.StreamsConfig{
		File:        mountData + "/" + fileTable,
		InitialFile: mountTable + "/" + fileKeptTable,
		TokenFile:   mountToken + "/" + TokenKey,
		STUNFile:    mountConfig + "/" + fileSTUN,
		ExternalURL: p.externalURL(),
	}
	// Origins are those of entries, so that a stream's pages may connect to that stream.
	// The token of its table is that of the operator.
	c.OperatorsFile = ""
	c.Stream, c.SeederTokenFile, c.AllowedOrigins = nil, "", nil
}

// tokenMounts are the Secret by which seeders and tracker know each other, or the operator and the tracker of a network, and what
// such a tracker may write.
func (p *planner) tokenMounts() []mount {
	switch {
	case p.network != nil:
		data := corev1ac.Volume().WithName("data").WithEmptyDir(corev1ac.EmptyDirVolumeSource())
		kept := corev1ac.Volume().WithName("table").WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(KeptTableName(p.network.Name)).WithOptional(true))
		return []mount{secretMount("token", p.table.TableSecret, mountToken, TokenKey), {volume: data, path: mountData, writable: true},
			{volume: kept, path: mountTable}}
	case p.facts.Network != nil:
		return []mount{secretMount("token", p.facts.Network.TokenSecret, mountToken, TokenKey)}
	}
	return []mount{tokenMount(p.stream.Name)}
}

// labels of an object of a component.
func (p *planner) labels(component string) map[string]string {
	if p.network != nil {
		return NetworkLabels(p.network.Name, component)
	}
	return Labels(p.stream.Name, component)
}

// selector of the pods of a component.
func (p *planner) selector(component string) map[string]string {
	if p.network != nil {
		return networkSelector(p.network.Name, component)
	}
	return Selector(p.stream.Name, component)
}

// keepOwnTracker keeps what a stream had before it was attached, until the network serves it.
func (p *planner) keepOwnTracker() error {
	if p.facts.Network.Served {
		return nil
	}
	name, stun := TrackerName(p.stream.Name), STUNName(p.stream.Name)
	p.pending = append(p.pending, Ref{"ConfigMap", name}, Ref{"Service", name}, Ref{"Service", TrackerInternalName(p.stream.Name)}, Ref{"Ingress", name}, Ref{"HTTPRoute", name}, Ref{"TLSRoute", name}, Ref{certmanager.Kind, CertificateName(p.stream.Name)},
		Ref{"Deployment", name}, Ref{"ConfigMap", stun}, Ref{"Service", stun}, Ref{"Deployment", stun})
	return nil
}

package exposure

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Strategy is one way of being reached. Its methods are pure: the same arguments give the same result, and no argument
// is changed. They are called only with targets whose settings have the type of the strategy, except Note.
type Strategy interface {
	// Traits are what the settings alone decide, for all pods of a component.
	Traits(c Component, s v1.ExposureSettings) Traits

	// Objects are the children that make the target reachable: its Service, and routes to it. They may be none.
	// They are complete: name, namespace, labels and owner included.
	Objects(t Target, f Facts) []Object

	// Port is the port that viewers connect to, 1 to 65535, or 0 while the cluster has not assigned it.
	Port(t Target, f Facts) int32

	// Addresses are where viewers reach the target, the preferred ones first; none while none is known. They are
	// stated in status and handed to players, so an address that does not answer must not be among them.
	Addresses(t Target, f Facts) []Address

	// Warning is about a target that runs and is not reached as its owner may expect; nil when there is none.
	// Advertised are the URLs that viewers are given. It is called for each target of a component, until one has a warning.
	Warning(t Target, f Facts, advertised []string) *Warning

	// Refused explains that the API server refused one of the Objects with an error. Details are the causes in the
	// error, as one line of text without a full stop. It returns nil for what is not peculiar to the strategy.
	Refused(t Target, err error, details string) *Refusal

	// Note records in o what the cluster assigned to a child of the stream, and removes what the child no longer
	// has. It is called for every child, also for those of other strategies, and writes only the fields of its own strategy.
	Note(child runtime.Object, o *Observation)
}

// table holds all strategies, in the order in which messages name them, and the components that each can expose: those
// whose type in the resource allows it.
var table = []struct {
	name       v1.ExposureType
	strategy   Strategy
	components []Component
}{
	{v1.ExposureClusterIP, clusterIP{}, []Component{Tracker, STUN, Seeder}},
	{v1.ExposureNodePort, nodePort{}, []Component{Tracker, STUN, Seeder}},
	{v1.ExposureLoadBalancer, loadBalancer{}, []Component{Tracker, STUN, Seeder}},
	{v1.ExposureHostPort, hostPort{}, []Component{STUN, Seeder}},
	{v1.ExposureIngress, ingress{}, []Component{Tracker}},
	{v1.ExposureGateway, gateway{}, []Component{Tracker}},
}

// For returns the strategy of a type; of an unknown type, which the rules of the resource refuse, ClusterIP.
func For(t v1.ExposureType) Strategy {
	for _, row := range table {
		if row.name == t {
			return row.strategy
		}
	}
	return clusterIP{}
}

// TraitsOf are the traits by which the spec exposes a component.
func TraitsOf(spec *v1.P2PStreamSpec, c Component) Traits {
	s := SettingsOf(spec, c)
	return For(s.Type).Traits(c, s)
}

// NeedsNodes tells whether an address of the stream depends on the nodes of the cluster.
func NeedsNodes(spec *v1.P2PStreamSpec) bool {
	for _, c := range Components() {
		if TraitsOf(spec, c).Nodes {
			return true
		}
	}
	if !hasEdges(spec) {
		return false
	}
	s := EdgeSettings(spec)
	return For(s.Type).Traits(Seeder, s).Nodes
}

// outsideTypes names the types by which a component is reached from outside the cluster, as text: "NodePort".
func outsideTypes(c Component) string {
	var names []string
	for _, row := range table {
		if slices.Contains(row.components, c) && row.strategy.Traits(c, v1.ExposureSettings{Type: row.name}).Outside {
			names = append(names, string(row.name))
		}
	}
	if last := len(names) - 1; last > 1 {
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
	return strings.Join(names, " or ")
}

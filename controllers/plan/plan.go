package plan

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// Plan is the desired state of a stream's children.
type Plan struct {
	// Objects in the order in which they are to be applied.
	Objects []Object
	// Pending are children that wait for a fact, such as a node port that is not assigned yet. They are
	// neither applied nor pruned.
	Pending []Ref
	// Endpoints are for status and for the tracker's configuration.
	Endpoints v1.EndpointsStatus
	// SeederSelector is the label selector of the seeder pods, as text, for the scale subresource.
	SeederSelector string
	// Warnings become reasons of conditions. The stream serves viewers in spite of them.
	Warnings []Warning
}

// Ref names a child in the stream's namespace.
type Ref struct {
	Kind string
	Name string
}

// Object is one child.
type Object struct {
	Ref
	// Apply is the configuration to apply, as the only owner of its fields.
	Apply runtime.ApplyConfiguration
	// Hash changes when, and only when, Apply does.
	Hash string
	// Template is a hash of the template of its pods; empty for objects without pods.
	Template string
	// Exposes is what the object makes reachable; nil for other objects. Its strategy explains refusals.
	Exposes *exposure.Target
}

// Kinds are the kinds of children, in the order in which they are applied. Owned objects of these kinds that are
// not in the plan are to be deleted. A cluster may lack the routes and Certificates.
func Kinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Service"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"},
		{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "TLSRoute"},
		certmanager.GroupVersion.WithKind(certmanager.Kind),
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "StatefulSet"},
	}
}

// Make plans a stream. An *InvalidError means that the stream's spec must change. Any other error means that the
// facts or the stream's metadata are unusable.
func Make(stream *v1.P2PStream, facts Facts) (Plan, error) {
	if err := facts.check(); err != nil {
		return Plan{}, err
	}
	if errs := stream.Validate(); len(errs) > 0 {
		return Plan{}, &InvalidError{errs.ToAggregate()}
	}
	if ref := stream.Spec.NetworkRef; ref != nil && ref.Name != "" {
		return Plan{}, fmt.Errorf("planning stream %s: it names network %s and was not attached to it", stream.Name, ref.Name)
	}
	if stream.Namespace == "" {
		return Plan{}, fmt.Errorf("planning stream %s: it has no namespace", stream.Name)
	}
	p := &planner{stream: stream, spec: stream.Spec.WithDefaults(), facts: facts,
		reach: facts.reach()}
	if p.spec.Seeders.Scale != nil && facts.Seeders != nil {
		p.spec.Seeders.Replicas = facts.Seeders
	}
	var err error
	if p.shape, err = shapeOf(facts.Pods, facts.Network.pods(), stream.Spec.Pods); err != nil {
		return Plan{}, err
	}
	p.nameCertificate()
	p.endpoints = p.chooseEndpoints()
	if err := p.build(); err != nil {
		return Plan{}, err
	}
	objects, err := p.objects()
	if err != nil {
		return Plan{}, err
	}
	return Plan{
		Objects:        objects,
		Pending:        p.pending,
		Endpoints:      p.endpoints,
		SeederSelector: labels.SelectorFromSet(Selector(stream.Name, ComponentSeeder)).String(),
		Warnings:       p.warnings(),
	}, nil
}

// planner holds the state while one plan is made.
type planner struct {
	stream    *v1.P2PStream
	spec      v1.P2PStreamSpec // with defaults
	facts     Facts
	reach     exposure.Facts // the part of facts that exposure strategies read
	endpoints v1.EndpointsStatus
	shape     shape
	// network that is planned, with the facts of it; nil for a stream, which then need not have a network.
	network *v1.P2PNetwork
	table   NetworkFacts

	configMaps, services, guards, workloads []child
	pending                                 []Ref
}

// build adds the children of all components.
func (p *planner) build() error {
	parts := []func() error{p.policies, p.tracker, p.stun, p.seeders, p.edges}
	if p.facts.Network != nil {
		parts = []func() error{p.policies, p.keepOwnTracker, p.seeders, p.edges}
	}
	for _, component := range parts {
		if err := component(); err != nil {
			return err
		}
	}
	return nil
}

// child is one planned object, and the target that it makes reachable or nil.
type child struct {
	exposure.Object
	exposes *exposure.Target
}

// objects returns the children in the order in which they are applied: ConfigMaps, Services, what guards pods, workloads.
func (p *planner) objects() ([]Object, error) {
	var objects []Object
	for _, group := range [][]child{p.configMaps, p.services, p.guards, p.workloads} {
		for _, c := range group {
			template, err := p.mark(c.Object)
			if err != nil {
				return nil, err
			}
			raw, err := json.Marshal(c.Object)
			if err != nil {
				return nil, fmt.Errorf("encoding %s %s: %w", *c.GetKind(), *c.GetName(), err)
			}
			objects = append(objects, Object{Ref: Ref{*c.GetKind(), *c.GetName()}, Apply: c.Object, Hash: hash(raw), Template: template, Exposes: c.exposes})
		}
	}
	return objects, nil
}

package exposure

import (
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

// Facts are what is known of the cluster. Zero values mean that nothing is known yet.
type Facts struct {
	// Nodes that are ready, in any order.
	Nodes []Node
	// Observed is what the cluster assigned to the stream's children.
	Observed Observed
	// IngressClasses of the cluster; nil when they are not known, as without permission to list them.
	IngressClasses *IngressClasses
	// Kinds that a cluster may lack and this one has.
	Kinds Kinds
	// Gateways by namespace/name. One that is not among them is not known, as without permission to read it.
	Gateways map[string]Gateway
	// Resolved are the addresses to which the host of the tracker resolves; none when that is not known.
	Resolved []string
}

// Kinds are those of children that a cluster may lack. A true one is there, and the operator may manage it.
type Kinds struct {
	// Routes of the Gateway API.
	HTTPRoute bool `json:"httpRoute,omitempty"`
	TLSRoute  bool `json:"tlsRoute,omitempty"`
	// Certificate of cert-manager.
	Certificate bool `json:"certificate,omitempty"`
}

// route tells whether a kind of the Gateway API's routes is among them.
func (k Kinds) route(kind string) bool {
	return kind == kindHTTPRoute && k.HTTPRoute || kind == kindTLSRoute && k.TLSRoute
}

// Gateway is a Gateway as its status has it.
type Gateway struct {
	// Missing: there is none of that name.
	Missing bool `json:"missing,omitempty"`
	// Addresses are IP addresses and host names.
	Addresses []string `json:"addresses,omitempty"`
}

// IngressClasses are the kinds of ingress controllers that a cluster has.
type IngressClasses struct {
	Names []string `json:"names,omitempty"`
	// Default: one of them serves an Ingress that names none.
	Default bool `json:"default,omitempty"`
}

// choice names some of the classes, as text: "nginx or traefik".
func (c IngressClasses) choice() string {
	if len(c.Names) == 0 {
		return "the name of its class, once there is one"
	}
	return strings.Join(c.Names[:min(len(c.Names), 4)], " or ")
}

// Node is a ready node.
type Node struct {
	// Name of the node.
	Name string `json:"name"`
	// Addresses that its status lists as ExternalIP, then those that it lists as InternalIP, in the order
	// of the list.
	Addresses []string `json:"addresses,omitempty"`
	// STUN says that a ready STUN pod of the stream runs on it.
	STUN bool `json:"stun,omitempty"`
	// STUNStarting says that a STUN pod of the stream is assigned to it and starting: not ready yet, without
	// having failed, and not terminating.
	STUNStarting bool `json:"stunStarting,omitempty"`
	// Tracker says that a ready tracker pod of the stream runs on it.
	Tracker bool `json:"tracker,omitempty"`
}

// ready tells whether a ready pod of the component runs on the node.
func (n Node) ready(c Component) bool {
	return c == STUN && n.STUN || c == Tracker && n.Tracker
}

// starting tells whether a pod of the component is about to be ready on the node.
func (n Node) starting(c Component) bool { return c == STUN && n.STUNStarting }

// Observed is what the cluster assigned to children, by the child's name. It holds at most one entry for each Service
// and route that the stream ever had, which the number of seeders bounds. An entry outlives its child: when a Service
// is deleted by mistake, the operator asks for the same port again, so that addresses in use stay valid.
type Observed map[string]Observation

// Observation is what the cluster assigned to one child. Each field belongs to one strategy.
type Observation struct {
	// NodePort of a Service, 1 to 65535; 0 while none is assigned. Written by NodePort.
	NodePort int32 `json:"nodePort,omitempty"`
	// LoadBalancer are the IP addresses and host names that a Service's load balancer has; none while it has none. Written
	// by LoadBalancer.
	LoadBalancer []string `json:"loadBalancer,omitempty"`
	// Ingress are the IP addresses and host names in the status of an Ingress. Written by Ingress.
	Ingress []string `json:"ingress,omitempty"`
	// Parents are what Gateways say of a route. Written by Gateway.
	Parents []Parent `json:"parents,omitempty"`
}

// Parent is what one Gateway says of a route.
type Parent struct {
	Kind     string `json:"kind"`              // of the route
	Gateway  string `json:"gateway"`           // namespace/name
	Section  string `json:"section,omitempty"` // of the Gateway, where the route names one
	Accepted bool   `json:"accepted,omitempty"`
	Reason   string `json:"reason,omitempty"` // why it does not accept it
}

// Note records what the cluster assigned to a child of the stream.
func (o Observed) Note(name string, child runtime.Object) {
	seen := o[name]
	for _, row := range table {
		row.strategy.Note(child, &seen)
	}
	if reflect.DeepEqual(seen, Observation{}) {
		delete(o, name)
		return
	}
	o[name] = seen
}

// Check refuses what no cluster assigns.
func (o Observed) Check() error {
	for name, seen := range o {
		if seen.NodePort < 0 || seen.NodePort > 65535 {
			return fmt.Errorf("node port %d of Service %s is no port", seen.NodePort, name)
		}
	}
	return nil
}

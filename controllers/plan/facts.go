package plan

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Facts is what a plan needs to know beside the stream. The zero value of each field but Image means
// that nothing is known of it yet.
type Facts struct {
	// Image that every pod runs, and when it is pulled; an empty policy leaves that to the API server.
	Image      string            `json:"image"`
	PullPolicy corev1.PullPolicy `json:"pullPolicy,omitempty"`

	// NodePorts of the stream's Services by the Service's name, as the API server allocated them. A
	// Service that was deleted keeps its entry while its port may be asked for again, so that addresses
	// which people were given stay true.
	NodePorts map[string]int32 `json:"nodePorts,omitempty"`

	// Nodes that are ready, in any order.
	Nodes []Node `json:"nodes,omitempty"`

	// STUNReady says that at least one STUN pod of the stream is ready.
	STUNReady bool `json:"stunReady,omitempty"`

	// SeederPods is one more than the highest ordinal of a seeder pod that exists, terminating ones
	// included: a seeder that drains still needs its Service.
	SeederPods int32 `json:"seederPods,omitempty"`

	// Endpoints of the plan before, from the stream's status. An address among them stays while it is
	// still right.
	Endpoints *v1.EndpointsStatus `json:"endpoints,omitempty"`
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
	// STUNStarting says that a STUN pod of the stream is bound to it and on its way: not ready yet, without
	// having failed, and not terminating.
	STUNStarting bool `json:"stunStarting,omitempty"`
	// Tracker says that a ready tracker pod of the stream runs on it.
	Tracker bool `json:"tracker,omitempty"`
}

// check refuses facts that no plan can be made of.
func (f Facts) check() error {
	if f.Image == "" {
		return errors.New("planning stream: no image is known for its pods")
	}
	for service, port := range f.NodePorts {
		if port < 0 || port > 65535 {
			return fmt.Errorf("planning stream: node port %d of Service %s is no port", port, service)
		}
	}
	return nil
}

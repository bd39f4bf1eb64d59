package exposure

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// nodePort exposes a target through a port on the nodes. Each seeder has its own port and listens on exactly that port,
// because WebRTC advertises the port that it listens on.
type nodePort struct{}

func (nodePort) Traits(c Component, s v1.ExposureSettings) Traits {
	traits := Traits{Outside: true, Nodes: true, ClientAddresses: trafficPolicy(c, s) == v1.TrafficPolicyLocal}
	if c == Seeder {
		traits.OwnPorts, traits.Advertise = true, AdvertiseNodeIP
		if len(s.Addresses) > 0 {
			traits.Advertise = AdvertiseAddresses
		}
	}
	return traits
}

// Objects returns a Service with the known port, or without one so that the cluster assigns it. An assigned port is
// requested from then on, so that a Service that was deleted gets it back.
func (n nodePort) Objects(t Target, f Facts) []Object {
	port := n.Port(t, f)
	listens := t.ContainerPort
	if t.Component == Seeder {
		listens = cmp.Or(port, listens)
	}
	service := newService(t, listens)
	service.Spec.
		WithType(corev1.ServiceTypeNodePort).
		WithExternalTrafficPolicy(corev1.ServiceExternalTrafficPolicy(trafficPolicy(t.Component, t.Settings)))
	if port != 0 {
		service.Spec.Ports[0].WithNodePort(port)
	}
	return []Object{service}
}

// Port returns the port that the spec requests, or else the one that the cluster assigned.
func (nodePort) Port(t Target, f Facts) int32 {
	if t.Settings.NodePort != nil {
		return int32(*t.Settings.NodePort)
	}
	return f.Observed[t.Name].NodePort
}

// Addresses returns the host of the spec, or else the nodes that answer: every node with the traffic policy Cluster, and
// those with a pod of the component with Local.
func (n nodePort) Addresses(t Target, f Facts) []Address {
	port, tls := n.Port(t, f), t.Settings.TLS()
	if port == 0 || t.Component == Seeder {
		return nil // seeders advertise their own addresses
	}
	if t.Settings.Host != "" {
		return []Address{{Host: string(t.Settings.Host), Port: port, TLS: tls}}
	}
	everyNode := trafficPolicy(t.Component, t.Settings) == v1.TrafficPolicyCluster
	var addresses []Address
	for _, h := range nodeHosts(t.Component, t.Settings, f.Nodes, everyNode) {
		addresses = append(addresses, Address{Host: h.host, Port: port, TLS: tls, Starting: h.starting})
	}
	return addresses
}

// Warning reports that no node has an address for viewers, or that pages on https cannot use the address.
func (n nodePort) Warning(t Target, f Facts, advertised []string) *Warning {
	warn := func(reason, message string) *Warning {
		return &Warning{Condition: t.Component.condition(), Reason: reason, Message: message}
	}
	if t.Component == Seeder || n.Port(t, f) == 0 {
		return nil
	}
	field := t.Component.Field()
	switch {
	case t.Component == Tracker && len(advertised) == 0:
		return warn(v1.ReasonNotAdvertised, fmt.Sprintf("no ready node on which the tracker answers has an address: set %s.host or %s.addresses", field, field))
	case t.Component == Tracker && strings.HasPrefix(advertised[0], "ws://"):
		return warn(v1.ReasonInsecureEndpoint, fmt.Sprintf("pages on https cannot use %s: to serve them, set %s.tlsSecretName", advertised[0], field))
	case t.Component == STUN && t.ViewersOutside && t.Ready && len(advertised) == 0:
		return warn(v1.ReasonNotAdvertised, fmt.Sprintf("no node that runs a ready STUN server has an address for viewers: set %s.host, or add the nodes' addresses to %s.addresses", field, field))
	}
	return nil
}

// Refused explains that another Service uses the port, or that the port is out of the cluster's range.
func (nodePort) Refused(t Target, err error, details string) *Refusal {
	text := err.Error()
	taken := strings.Contains(text, "provided port is already allocated")
	if t.Settings.NodePort == nil {
		if taken {
			return &Refusal{Forget: true}
		}
		return nil
	}
	asked := fmt.Sprintf("%s.nodePort %d", t.Component.Field(), *t.Settings.NodePort)
	switch {
	case taken:
		return &Refusal{Reason: v1.ReasonNodePortTaken,
			Message: asked + ": the port is already used by another Service. Free it, choose another, or remove the field to let the cluster choose."}
	case strings.Contains(text, "provided port is not in the valid range"):
		return &Refusal{Reason: v1.ReasonInvalidSpec,
			Message: asked + ": the cluster does not assign this port: " + details + ". Choose a port in that range, or remove the field."}
	}
	return nil
}

// Note records the node port of a Service with one port, and forgets it when the Service has changed to another type.
func (nodePort) Note(child runtime.Object, o *Observation) {
	service, is := child.(*corev1.Service)
	if !is || len(service.Spec.Ports) != 1 {
		return
	}
	switch port := service.Spec.Ports[0].NodePort; {
	case port > 0:
		o.NodePort = port
	case service.Spec.Type != corev1.ServiceTypeNodePort:
		o.NodePort = 0
	}
}

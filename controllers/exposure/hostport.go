package exposure

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// hostPort exposes STUN servers and seeders through a port of the nodes that they run on, without a Service: there is no port
// range of the cluster to open, and at most one pod of the component on each node.
type hostPort struct{}

func (h hostPort) Traits(c Component, s v1.ExposureSettings) Traits {
	traits := Traits{Outside: true, Nodes: true, ClientAddresses: true, HostPort: h.port(c, s)}
	if c == Seeder {
		traits.Advertise = AdvertiseNodeIP
		if len(s.Addresses) > 0 {
			traits.Advertise = AdvertiseAddresses
		}
	}
	return traits
}

// The ports of nodes, where the spec does not say another.
const (
	hostPortSTUN   = 3478
	hostPortSeeder = 3479
)

func (hostPort) port(c Component, s v1.ExposureSettings) int32 {
	if s.Port != nil {
		return int32(*s.Port)
	}
	if c == STUN {
		return hostPortSTUN
	}
	return hostPortSeeder
}

func (hostPort) Objects(Target, Facts) []Object { return nil }

func (h hostPort) Port(t Target, _ Facts) int32 { return h.port(t.Component, t.Settings) }

// Addresses returns the host of the spec, or else those of the nodes that run a STUN server.
func (h hostPort) Addresses(t Target, f Facts) []Address {
	if t.Component == Seeder {
		return nil // seeders advertise their own addresses
	}
	port := h.Port(t, f)
	if t.Settings.Host != "" {
		return []Address{{Host: string(t.Settings.Host), Port: port}}
	}
	var addresses []Address
	for _, at := range nodeHosts(t.Component, t.Settings, f.Nodes, false) {
		addresses = append(addresses, Address{Host: at.host, Port: port, Starting: at.starting})
	}
	return addresses
}

// Warning reports that no node has an address for viewers.
func (hostPort) Warning(t Target, _ Facts, advertised []string) *Warning {
	if t.Component != STUN || !t.ViewersOutside || !t.Ready || len(advertised) > 0 {
		return nil
	}
	field := t.Component.Field()
	return &Warning{Condition: t.Component.condition(), Reason: v1.ReasonNotAdvertised,
		Message: fmt.Sprintf("no node that runs a ready STUN server has an address for viewers: set %s.host, or add the nodes' addresses to %s.addresses", field, field)}
}

func (hostPort) Refused(Target, error, string) *Refusal { return nil }

func (hostPort) Note(runtime.Object, *Observation) {}

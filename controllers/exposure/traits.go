package exposure

// Traits are what the settings of a component decide alone. OwnPorts and Advertise matter to seeders only, and are
// zero for other components.
type Traits struct {
	// Outside: viewers outside the cluster's network can reach the target.
	Outside bool
	// Nodes: the addresses depend on the cluster's nodes, which therefore have to be read and watched.
	Nodes bool
	// ClientAddresses: the pods see the address of each viewer. Where they do not, many viewers may share one
	// address, and limits per address would refuse them.
	ClientAddresses bool
	// HostPort is the port of the node that leads to the pod, 0 for none. A seeder listens on it, too: WebRTC advertises the
	// port that it listens on.
	HostPort int32 `json:"HostPort,omitempty"`
	// OwnPorts: each seeder listens on the Port of its own target. It reads that port from a list by ordinal, and is
	// not started before the port is known. Otherwise all seeders listen on Target.ContainerPort.
	OwnPorts bool
	// Advertise is the address that a seeder tells its peers. WebRTC peers connect to exactly that address.
	Advertise Advertise
}

// Advertise says which address a seeder tells its peers.
type Advertise string

const (
	// AdvertisePodIP is the address of the seeder's pod.
	AdvertisePodIP Advertise = "PodIP"
	// AdvertiseNodeIP are the addresses of the node that the pod runs on, external ones first. It reads them from a list by
	// node, and takes the address that the pod knows of its node where the list has none.
	AdvertiseNodeIP Advertise = "NodeIP"
	// AdvertiseAddresses are the addresses that the spec names.
	AdvertiseAddresses Advertise = "Addresses"
	// AdvertiseAssigned are the Addresses of the seeder's own target. It reads them from a list.
	AdvertiseAssigned Advertise = "Assigned"
)

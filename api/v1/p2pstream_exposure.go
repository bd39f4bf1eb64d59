package v1

// ExposureType says by which way something is reached.
type ExposureType string

// The ways a program of a stream may be reached.
const (
	// ExposureClusterIP: inside the cluster only.
	ExposureClusterIP ExposureType = "ClusterIP"
	// ExposureNodePort: by a port of every node.
	ExposureNodePort ExposureType = "NodePort"
)

// TrafficPolicy says which nodes answer on a node port.
type TrafficPolicy string

// The traffic policies of a node port.
const (
	// TrafficPolicyCluster: every node answers, and the clients' addresses are hidden.
	TrafficPolicyCluster TrafficPolicy = "Cluster"
	// TrafficPolicyLocal: only nodes with a pod answer, and the clients' addresses are seen.
	TrafficPolicyLocal TrafficPolicy = "Local"
)

// IPAddress is an IPv4 or IPv6 address that others can reach: not a loopback, link-local, multicast or
// unspecified one.
// +kubebuilder:validation:MaxLength=45
// +kubebuilder:validation:XValidation:rule="isIP(self) && ip(self).isGlobalUnicast()",message="exposure.addresses must hold IP addresses that viewers can reach, such as 192.0.2.10"
type IPAddress string

// Host is a DNS name or an IP address.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || (self.contains(':') ? isIP(self) : self.matches('^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$'))",message="exposure.host must be a host name or an IP address without scheme, port and path"
type Host string

// NodePort is a port of every node.
// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 65535",message="exposure.nodePort must be between 1 and 65535"
type NodePort int32

// TrackerExposure says how viewers reach the tracker.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.nodePort)",message="tracker.exposure.nodePort needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.host) || size(self.host) == 0",message="tracker.exposure.host needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="tracker.exposure.addresses needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.externalTrafficPolicy)",message="tracker.exposure.externalTrafficPolicy needs tracker.exposure.type NodePort"
type TrackerExposure struct {
	// Type is the way viewers reach the tracker: ClusterIP, inside the cluster only, or NodePort, by a
	// port of every node.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort
	Type ExposureType `json:"type"`

	// Host is the name that viewers use for the tracker. When empty, viewers use the name by which they
	// reached the config endpoint.
	// +optional
	Host Host `json:"host,omitempty"`

	// Addresses of the nodes that viewers can reach, for status. When empty, the nodes' own.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`

	// NodePort is the port of every node. When unset, the cluster chooses one.
	// +optional
	NodePort *NodePort `json:"nodePort,omitempty"`

	// ExternalTrafficPolicy Cluster answers on every node; Local shows the tracker the viewers' own
	// addresses, but only nodes with a tracker answer. Default Cluster.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy TrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// TLSSecretName names a Secret of type kubernetes.io/tls. With it the tracker serves wss and https
	// itself, which pages on https need: they silently skip a ws tracker.
	// +optional
	TLSSecretName SecretName `json:"tlsSecretName,omitempty"`
}

// STUNExposure says how viewers reach the STUN servers, which must see the viewers' own addresses:
// only nodes that a STUN server runs on answer, and only those are handed out.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.nodePort)",message="stun.exposure.nodePort needs stun.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.host) || size(self.host) == 0",message="stun.exposure.host needs stun.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="stun.exposure.addresses needs stun.exposure.type NodePort"
type STUNExposure struct {
	// Type is the way viewers reach the STUN servers: ClusterIP, inside the cluster only, or NodePort, by
	// a port of the nodes.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort
	Type ExposureType `json:"type"`

	// Host is the name that viewers use for STUN. When empty, addresses are handed out.
	// +optional
	Host Host `json:"host,omitempty"`

	// Addresses of the nodes that viewers can reach. When empty, the nodes' own.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`

	// NodePort is the UDP port of the nodes. When unset, the cluster chooses one.
	// +optional
	NodePort *NodePort `json:"nodePort,omitempty"`
}

// SeederExposure says how viewers reach the seeders. Each seeder has an address of its own, for
// WebRTC goes to one pod and never through a balancer.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="seeders.exposure.addresses needs seeders.exposure.type NodePort"
type SeederExposure struct {
	// Type is the way viewers reach the seeders: ClusterIP, by the addresses of the pods, or NodePort, by
	// a port of its own for each seeder.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort
	Type ExposureType `json:"type"`

	// Addresses that seeders advertise to peers. When empty, each advertises the address of its node.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`
}

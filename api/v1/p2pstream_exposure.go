package v1

// ExposureType is the way a component is reached.
type ExposureType string

// The ways by which a component of a stream may be reached.
const (
	// ExposureClusterIP is inside the cluster only.
	ExposureClusterIP ExposureType = "ClusterIP"
	// ExposureNodePort is a port on the nodes.
	ExposureNodePort ExposureType = "NodePort"
)

// TrafficPolicy selects the nodes that answer on a node port.
type TrafficPolicy string

// The traffic policies of a node port.
const (
	// TrafficPolicyCluster lets every node answer, and hides the clients' addresses.
	TrafficPolicyCluster TrafficPolicy = "Cluster"
	// TrafficPolicyLocal lets only nodes with a pod answer, and shows the clients' addresses.
	TrafficPolicyLocal TrafficPolicy = "Local"
)

// IPAddress is an IPv4 or IPv6 address that viewers can reach. Loopback, link-local, multicast and unspecified
// addresses are refused.
// +kubebuilder:validation:MaxLength=45
// +kubebuilder:validation:XValidation:rule="isIP(self) && ip(self).isGlobalUnicast()",message="exposure.addresses must hold IP addresses that viewers can reach, such as 192.0.2.10"
type IPAddress string

// Host is a DNS name or an IP address.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || (self.contains(':') ? isIP(self) : self.matches('^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$'))",message="exposure.host must be a host name or an IP address without scheme, port and path"
type Host string

// NodePort is a port on every node.
// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 65535",message="exposure.nodePort must be between 1 and 65535"
type NodePort int32

// TrackerExposure configures how viewers reach the tracker.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.nodePort)",message="tracker.exposure.nodePort needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.host) || size(self.host) == 0",message="tracker.exposure.host needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="tracker.exposure.addresses needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.externalTrafficPolicy)",message="tracker.exposure.externalTrafficPolicy needs tracker.exposure.type NodePort"
type TrackerExposure struct {
	// Type is how viewers reach the tracker: ClusterIP, inside the cluster only, or NodePort, through a port
	// on every node.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort
	Type ExposureType `json:"type"`

	// Host is the name that viewers use for the tracker. When empty, viewers use the name with which they
	// reached the config endpoint.
	// +optional
	Host Host `json:"host,omitempty"`

	// Addresses of the nodes that viewers can reach, for status. When empty, the nodes' own addresses.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`

	// NodePort is the port on every node. When unset, the cluster chooses one.
	// +optional
	NodePort *NodePort `json:"nodePort,omitempty"`

	// ExternalTrafficPolicy is Cluster to answer on every node, or Local to show the tracker the viewers' own
	// addresses; only nodes with a tracker then answer. Default Cluster.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy TrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// TLSSecretName names a Secret of type kubernetes.io/tls. With it, the tracker itself serves wss and https.
	// Pages on https need this: they skip a ws tracker without an error.
	// +optional
	TLSSecretName SecretName `json:"tlsSecretName,omitempty"`
}

// STUNExposure configures how viewers reach the STUN servers. STUN servers must see the viewers' own addresses,
// so only nodes that run one answer, and only those are given to viewers.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.nodePort)",message="stun.exposure.nodePort needs stun.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.host) || size(self.host) == 0",message="stun.exposure.host needs stun.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="stun.exposure.addresses needs stun.exposure.type NodePort"
type STUNExposure struct {
	// Type is how viewers reach the STUN servers: ClusterIP, inside the cluster only, or NodePort, through a
	// port on the nodes.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort
	Type ExposureType `json:"type"`

	// Host is the name that viewers use for STUN. When empty, viewers are given addresses.
	// +optional
	Host Host `json:"host,omitempty"`

	// Addresses of the nodes that viewers can reach. When empty, the nodes' own addresses.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`

	// NodePort is the UDP port on the nodes. When unset, the cluster chooses one.
	// +optional
	NodePort *NodePort `json:"nodePort,omitempty"`
}

// SeederExposure configures how viewers reach the seeders. Each seeder has its own address, because a WebRTC
// connection goes to one pod and cannot be load-balanced.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="seeders.exposure.addresses needs seeders.exposure.type NodePort"
type SeederExposure struct {
	// Type is how viewers reach the seeders: ClusterIP, at the addresses of the pods, or NodePort, through a
	// separate port for each seeder.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort
	Type ExposureType `json:"type"`

	// Addresses that seeders advertise to peers. When empty, each advertises the address of its node.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`
}

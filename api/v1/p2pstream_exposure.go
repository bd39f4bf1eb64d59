package v1

// ExposureType says by which way something is reached.
type ExposureType string

// The ways a program of a stream may be reached.
const (
	// ExposureClusterIP: inside the cluster only.
	ExposureClusterIP ExposureType = "ClusterIP"
	// ExposureNodePort: by a port of every node.
	ExposureNodePort ExposureType = "NodePort"
	// ExposureLoadBalancer: by an address that the cluster's load balancer gives.
	ExposureLoadBalancer ExposureType = "LoadBalancer"
	// ExposureHostNetwork: by the address of the node that the pod runs on.
	ExposureHostNetwork ExposureType = "HostNetwork"
)

// IPAddress is an IPv4 or IPv6 address.
// +kubebuilder:validation:MaxLength=45
// +kubebuilder:validation:XValidation:rule="isIP(self)",message="exposure.addresses must hold IP addresses, such as 192.0.2.10"
type IPAddress string

// Host is a DNS name or an IP address.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$')",message="exposure.host must be a host name or an IP address without scheme, port and path"
type Host string

// NodePort is a port of every node.
// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 65535",message="exposure.nodePort must be between 1 and 65535"
type NodePort int32

// TrackerExposure says how viewers reach the tracker.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || self.type == 'NodePort'",message="tracker.exposure.nodePort needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.addresses) || size(self.addresses) == 0 || self.type in ['NodePort', 'HostNetwork']",message="tracker.exposure.addresses needs tracker.exposure.type NodePort or HostNetwork"
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || self.type in ['NodePort', 'LoadBalancer']",message="tracker.exposure.externalTrafficPolicy needs tracker.exposure.type NodePort or LoadBalancer"
type TrackerExposure struct {
	// Type is the way viewers reach the tracker.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;HostNetwork
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
	ExternalTrafficPolicy string `json:"externalTrafficPolicy,omitempty"`

	// TLSSecretName names a Secret of type kubernetes.io/tls. With it the tracker serves wss and https
	// itself, which pages on https need: they silently skip a ws tracker.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	TLSSecretName string `json:"tlsSecretName,omitempty"`

	// Annotations of the Service, for the load balancer.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]string `json:"annotations,omitempty"`
}

// STUNExposure says how viewers reach the STUN servers, which must see the viewers' own addresses:
// Services are always externalTrafficPolicy Local.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || self.type == 'NodePort'",message="stun.exposure.nodePort needs stun.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="!has(self.addresses) || size(self.addresses) == 0 || self.type in ['NodePort', 'HostNetwork']",message="stun.exposure.addresses needs stun.exposure.type NodePort or HostNetwork"
type STUNExposure struct {
	// Type is the way viewers reach the STUN servers.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;HostNetwork
	Type ExposureType `json:"type"`

	// Host is the name that viewers use for STUN. When empty, addresses are handed out.
	// +optional
	Host Host `json:"host,omitempty"`

	// Addresses of the nodes that viewers can reach. When empty, the nodes' own.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`

	// NodePort is the port of every node. When unset, the cluster chooses one.
	// +optional
	NodePort *NodePort `json:"nodePort,omitempty"`

	// Annotations of the Service, for the load balancer.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SeederExposure says how viewers reach the seeders. Each seeder has an address of its own, for
// WebRTC goes to one pod and never through a balancer.
//
// +kubebuilder:validation:XValidation:rule="!has(self.addresses) || size(self.addresses) == 0 || self.type in ['NodePort', 'HostNetwork']",message="seeders.exposure.addresses needs seeders.exposure.type NodePort or HostNetwork"
type SeederExposure struct {
	// Type is the way viewers reach the seeders.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;HostNetwork
	Type ExposureType `json:"type"`

	// Addresses that seeders advertise to peers. When empty, each advertises the address of its node.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`
}

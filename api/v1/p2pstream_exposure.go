package v1

// ExposureType is the way a component is reached.
type ExposureType string

// The ways by which a component of a stream may be reached.
const (
	// ExposureClusterIP is inside the cluster only.
	ExposureClusterIP ExposureType = "ClusterIP"
	// ExposureNodePort is a port on the nodes.
	ExposureNodePort ExposureType = "NodePort"
	// ExposureLoadBalancer is an address that the cluster's load balancer assigns.
	ExposureLoadBalancer ExposureType = "LoadBalancer"
	// ExposureHostPort is a port of the nodes that pods run on.
	ExposureHostPort ExposureType = "HostPort"
	// ExposureIngress is a host name, and perhaps a path, of the cluster's ingress controller.
	ExposureIngress ExposureType = "Ingress"
	// ExposureGateway is a host name, and perhaps a path, of a Gateway of the Gateway API.
	ExposureGateway ExposureType = "Gateway"
)

// TrafficPolicy selects the nodes that answer.
type TrafficPolicy string

// The traffic policies of a Service.
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

// Port is a port that viewers connect to.
// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 65535",message="exposure.port must be between 1 and 65535"
type Port int32

// IPFamily is IPv4 or IPv6.
// +kubebuilder:validation:Enum=IPv4;IPv6
type IPFamily string

// The families of IP addresses.
const (
	IPv4 IPFamily = "IPv4"
	IPv6 IPFamily = "IPv6"
)

// LoadBalancerSettings configure a Service of type LoadBalancer.
type LoadBalancerSettings struct {
	// Class is the implementation that makes the load balancer. When empty, the default one of the cluster does.
	// +optional
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$')",message="exposure.loadBalancer.class must be a name with an optional prefix, such as service.k8s.aws/nlb"
	Class string `json:"class,omitempty"`

	// Annotations of the Service, for settings of the implementation.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// SourceRanges are the addresses that may connect. When empty, all may.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	SourceRanges []SourceRange `json:"sourceRanges,omitempty"`

	// Address is a static address to ask for. Not every implementation heeds it; others have an annotation.
	// +optional
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || isIP(self)",message="exposure.loadBalancer.address must be an IP address, such as 203.0.113.10"
	// +kubebuilder:validation:MaxLength=45
	Address string `json:"address,omitempty"`

	// HealthCheckNodePort is the port at which nodes tell the load balancer whether a pod runs on them. It needs the traffic
	// policy Local. When unset, the cluster chooses one.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 65535",message="exposure.loadBalancer.healthCheckNodePort must be between 1 and 65535"
	HealthCheckNodePort *int32 `json:"healthCheckNodePort,omitempty"`
}

// IngressSettings configure an Ingress.
type IngressSettings struct {
	// ClassName names the IngressClass, and with it the controller. When empty, the default one of the cluster.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="exposure.ingress.className must be the name of an IngressClass: lower case letters, digits, - and ."
	ClassName string `json:"className,omitempty"`

	// Annotations of the Ingress, for settings of the controller or for an issuer of certificates.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// TLSSecretName names a Secret of type kubernetes.io/tls with which the controller serves https and wss. It forwards plain
	// HTTP to the tracker.
	// +optional
	TLSSecretName SecretName `json:"tlsSecretName,omitempty"`
}

// GatewaySettings configure a route of the Gateway API: a TLSRoute for a tracker with tlsSecretName, whose TLS passes through the
// Gateway, and otherwise an HTTPRoute.
type GatewaySettings struct {
	// ParentRefs are the Gateways, or listeners of them, that are to serve the tracker.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ParentRefs []GatewayReference `json:"parentRefs"`

	// Annotations of the route, for settings of the controller.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// GatewayReference names a Gateway, or one of its listeners.
type GatewayReference struct {
	// Name of the Gateway.
	// +required
	Name GatewayName `json:"name"`

	// Namespace of the Gateway. When empty, that of the stream or network. The listeners must allow routes of it.
	// +optional
	Namespace GatewayNamespace `json:"namespace,omitempty"`

	// SectionName is the name of a listener. When empty, all that match.
	// +optional
	SectionName GatewaySection `json:"sectionName,omitempty"`

	// Port of a listener. When unset, all that match.
	// +optional
	Port *Port `json:"port,omitempty"`
}

// GatewayName is the name of a Gateway.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="exposure.gateway.parentRefs.name must be the name of a Gateway: lower case letters, digits, - and ."
type GatewayName string

// GatewayNamespace is the namespace of a Gateway, or empty.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="exposure.gateway.parentRefs.namespace must be the name of a namespace, or empty"
type GatewayNamespace string

// GatewaySection is the name of a listener of a Gateway, or empty.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="exposure.gateway.parentRefs.sectionName must be the name of a listener: lower case letters, digits, - and ."
type GatewaySection string

// BasePath comes before all paths of a tracker, such as /town-hall.
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$')",message="exposure.path must be a path such as /town-hall, without a slash at its end"
type BasePath string

// AnnotationValue is the value of an annotation.
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// SourceRange is a range of IP addresses, such as 10.0.0.0/8.
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="exposure.loadBalancer.sourceRanges must hold ranges of IP addresses, such as 10.0.0.0/8"
type SourceRange string

// TrackerExposure configures how viewers reach the tracker.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.nodePort)",message="tracker.exposure.nodePort needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.addresses) || size(self.addresses) == 0",message="tracker.exposure.addresses needs tracker.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type in ['NodePort', 'LoadBalancer'] || !has(self.externalTrafficPolicy)",message="tracker.exposure.externalTrafficPolicy needs tracker.exposure.type NodePort or LoadBalancer"
// +kubebuilder:validation:XValidation:rule="self.type in ['LoadBalancer', 'Ingress', 'Gateway'] || (self.type == 'ClusterIP' && has(self.host) && size(self.host) > 0) || !has(self.port)",message="tracker.exposure.port needs tracker.exposure.type LoadBalancer, Ingress or Gateway, or ClusterIP with the host of your proxy"
// +kubebuilder:validation:XValidation:rule="self.type == 'LoadBalancer' || !has(self.loadBalancer)",message="tracker.exposure.loadBalancer needs tracker.exposure.type LoadBalancer"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancer) || !has(self.loadBalancer.healthCheckNodePort) || (has(self.externalTrafficPolicy) && self.externalTrafficPolicy == 'Local')",message="tracker.exposure.loadBalancer.healthCheckNodePort needs tracker.exposure.externalTrafficPolicy Local"
// +kubebuilder:validation:XValidation:rule="!has(self.tlsTerminated) || !self.tlsTerminated || (self.type != 'NodePort' && has(self.host) && size(self.host) > 0 && (!has(self.tlsSecretName) || size(self.tlsSecretName) == 0))",message="tracker.exposure.tlsTerminated needs another tracker.exposure.type than NodePort, the host that the certificate is for, and no tlsSecretName"
// +kubebuilder:validation:XValidation:rule="self.type == 'Ingress' || !has(self.ingress)",message="tracker.exposure.ingress needs tracker.exposure.type Ingress"
// +kubebuilder:validation:XValidation:rule="self.type in ['Ingress', 'Gateway'] || (self.type == 'ClusterIP' && has(self.host) && size(self.host) > 0) || !has(self.path) || size(self.path) == 0",message="tracker.exposure.path needs tracker.exposure.type Ingress or Gateway, or ClusterIP with the host of your proxy"
// +kubebuilder:validation:XValidation:rule="!(self.type in ['Ingress', 'Gateway']) || (has(self.host) && size(self.host) > 0 && !isIP(self.host))",message="tracker.exposure.type Ingress or Gateway needs tracker.exposure.host, the DNS name that viewers use"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Gateway') == has(self.gateway)",message="tracker.exposure.gateway needs tracker.exposure.type Gateway, and type Gateway needs tracker.exposure.gateway.parentRefs"
// +kubebuilder:validation:XValidation:rule="self.type != 'Gateway' || !has(self.tlsSecretName) || size(self.tlsSecretName) == 0 || !has(self.path) || size(self.path) == 0",message="tracker.exposure.path is hidden from a Gateway that lets TLS pass through: with type Gateway, remove path or tlsSecretName"
// +kubebuilder:validation:XValidation:rule="!has(self.certificate) || (has(self.host) && size(self.host) > 0)",message="tracker.exposure.certificate needs tracker.exposure.host, the name that the certificate is for"
// +kubebuilder:validation:XValidation:rule="!has(self.certificate) || !has(self.tlsTerminated) || !self.tlsTerminated",message="tracker.exposure.certificate is for TLS that the tracker or its Ingress ends: remove tlsTerminated, or the certificate"
// +kubebuilder:validation:XValidation:rule="self.type != 'Gateway' || !has(self.certificate) || !has(self.path) || size(self.path) == 0",message="tracker.exposure.path is hidden from a Gateway that lets TLS pass through: with type Gateway, remove path or certificate"
// +kubebuilder:validation:XValidation:rule="self.type != 'Ingress' || !has(self.tlsSecretName) || size(self.tlsSecretName) == 0",message="tracker.exposure.tlsSecretName is a certificate of the tracker itself: with type Ingress, use ingress.tlsSecretName"
type TrackerExposure struct {
	// Type is how viewers reach the tracker: ClusterIP, inside the cluster only, NodePort, through a port
	// on every node, LoadBalancer, at an address that the cluster's load balancer assigns, Ingress, at a host
	// name of the cluster's ingress controller, or Gateway, at a host name of a Gateway.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;Ingress;Gateway
	Type ExposureType `json:"type"`

	// Host is the name that viewers use for the tracker; with ClusterIP, that of a proxy of your own. When empty, viewers
	// use the name with which they reached the config endpoint.
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
	// Pages on https need this: they skip a ws tracker without an error. Behind a Gateway, TLS then passes through it.
	// +optional
	TLSSecretName SecretName `json:"tlsSecretName,omitempty"`

	// Certificate asks cert-manager for the certificate of host: the tracker's own in tlsSecretName, or with type Ingress
	// the one in ingress.tlsSecretName. When that name is empty, the name of the tracker's Service and -tls.
	// +optional
	Certificate *CertificateSettings `json:"certificate,omitempty"`

	// Port that viewers connect to at the load balancer, the ingress controller, the Gateway or your proxy. Default: 443 with TLS, 80 without.
	// +optional
	Port *Port `json:"port,omitempty"`

	// LoadBalancer configures the load balancer.
	// +optional
	LoadBalancer *LoadBalancerSettings `json:"loadBalancer,omitempty"`

	// IPFamilies are the families of addresses of the Service, the first one preferred. When empty, all that the
	// cluster has.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	IPFamilies []IPFamily `json:"ipFamilies,omitempty"`

	// TLSTerminated says that the load balancer, the ingress controller, the Gateway or your proxy ends TLS with a certificate of its own and forwards
	// plain HTTP, so that viewers are given https and wss URLs. Default false.
	// +optional
	TLSTerminated bool `json:"tlsTerminated,omitempty"`

	// Path comes before all paths of the tracker, for several streams below one host name. Default: none.
	// +optional
	Path BasePath `json:"path,omitempty"`

	// Ingress configures the Ingress.
	// +optional
	Ingress *IngressSettings `json:"ingress,omitempty"`

	// Gateway configures the route of the Gateway API.
	// +optional
	Gateway *GatewaySettings `json:"gateway,omitempty"`
}

// STUNExposure configures how viewers reach the STUN servers. STUN servers must see the viewers' own addresses,
// so only nodes that run one answer, and only those are given to viewers.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'NodePort' || !has(self.nodePort)",message="stun.exposure.nodePort needs stun.exposure.type NodePort"
// +kubebuilder:validation:XValidation:rule="self.type in ['NodePort', 'LoadBalancer', 'HostPort'] || !has(self.host) || size(self.host) == 0",message="stun.exposure.host needs stun.exposure.type NodePort, LoadBalancer or HostPort"
// +kubebuilder:validation:XValidation:rule="self.type in ['NodePort', 'HostPort'] || !has(self.addresses) || size(self.addresses) == 0",message="stun.exposure.addresses needs stun.exposure.type NodePort or HostPort"
// +kubebuilder:validation:XValidation:rule="self.type in ['LoadBalancer', 'HostPort'] || !has(self.port)",message="stun.exposure.port needs stun.exposure.type LoadBalancer or HostPort"
// +kubebuilder:validation:XValidation:rule="self.type == 'LoadBalancer' || !has(self.loadBalancer)",message="stun.exposure.loadBalancer needs stun.exposure.type LoadBalancer"
// +kubebuilder:validation:XValidation:rule="self.type == 'LoadBalancer' || !has(self.tcp) || !self.tcp",message="stun.exposure.tcp needs stun.exposure.type LoadBalancer"
type STUNExposure struct {
	// Type is how viewers reach the STUN servers: ClusterIP, inside the cluster only, NodePort, through a
	// port on the nodes, LoadBalancer, at an address that the cluster's load balancer assigns, or HostPort, through a
	// port of the nodes that the pods run on.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;HostPort
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

	// Port that viewers connect to at the load balancer or the nodes. Default: 3478.
	// +optional
	Port *Port `json:"port,omitempty"`

	// LoadBalancer configures the load balancer.
	// +optional
	LoadBalancer *LoadBalancerSettings `json:"loadBalancer,omitempty"`

	// IPFamilies are the families of addresses of the Service, the first one preferred. When empty, all that the
	// cluster has.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	IPFamilies []IPFamily `json:"ipFamilies,omitempty"`

	// TCP also exposes STUN over TCP at the same port, for load balancers that check servers by TCP. The implementation
	// must support UDP and TCP in one Service. Default false.
	// +optional
	TCP bool `json:"tcp,omitempty"`
}

// SeederExposure configures how viewers reach the seeders. Each seeder has its own address, because a WebRTC
// connection goes to one pod and cannot be load-balanced.
//
// +kubebuilder:validation:XValidation:rule="self.type in ['NodePort', 'HostPort'] || !has(self.addresses) || size(self.addresses) == 0",message="seeders.exposure.addresses needs seeders.exposure.type NodePort or HostPort"
// +kubebuilder:validation:XValidation:rule="self.type in ['LoadBalancer', 'HostPort'] || !has(self.port)",message="seeders.exposure.port needs seeders.exposure.type LoadBalancer or HostPort"
// +kubebuilder:validation:XValidation:rule="self.type == 'LoadBalancer' || !has(self.loadBalancer)",message="seeders.exposure.loadBalancer needs seeders.exposure.type LoadBalancer"
// +kubebuilder:validation:XValidation:rule="self.type == 'LoadBalancer' || !has(self.externalTrafficPolicy)",message="seeders.exposure.externalTrafficPolicy needs seeders.exposure.type LoadBalancer"
// +kubebuilder:validation:XValidation:rule="!has(self.port) || (self.port >= 1024 && self.port <= 65472)",message="seeders.exposure.port must be between 1024 and 65472: seeders listen on consecutive ports from it"
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancer) || !has(self.loadBalancer.healthCheckNodePort)",message="seeders.exposure.loadBalancer.healthCheckNodePort is one port, and each seeder needs its own: remove it"
type SeederExposure struct {
	// Type is how viewers reach the seeders: ClusterIP, at the addresses of the pods, NodePort, through a
	// separate port for each seeder, LoadBalancer, through a load balancer or a port of one for each seeder, or
	// HostPort, through a port of the nodes, with one seeder on each.
	// +required
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer;HostPort
	Type ExposureType `json:"type"`

	// Addresses that seeders advertise to peers. When empty, each advertises the address of its node.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	Addresses []IPAddress `json:"addresses,omitempty"`

	// Port of the first seeder at the load balancer; the next ones have the ports after it, so that several may share
	// one address. With HostPort, the port of all. Default: 3479.
	// +optional
	Port *Port `json:"port,omitempty"`

	// LoadBalancer configures the load balancer.
	// +optional
	LoadBalancer *LoadBalancerSettings `json:"loadBalancer,omitempty"`

	// IPFamilies are the families of addresses of the Service, the first one preferred. When empty, all that the
	// cluster has.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	IPFamilies []IPFamily `json:"ipFamilies,omitempty"`

	// ExternalTrafficPolicy is Local, the default, or Cluster, for load balancers that share one address between Services
	// only with it.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy TrafficPolicy `json:"externalTrafficPolicy,omitempty"`
}

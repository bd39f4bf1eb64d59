package v1

// ExposureSettings is what TrackerExposure, STUNExposure and SeederExposure say, in one type for code that treats
// all three alike. A field that the component does not have is zero. It is no part of the resource.
//
// +kubebuilder:object:generate=false
type ExposureSettings struct {
	// Type is ClusterIP where the spec has no exposure.
	Type ExposureType
	// Host that viewers use, or empty.
	Host Host
	// Addresses that viewers can reach, or none for those that the cluster knows.
	Addresses []IPAddress
	// NodePort that the spec asks for, or nil for one of the cluster's choice.
	NodePort *NodePort
	// Port that viewers connect to at a load balancer, or nil for the default. That of the first one for seeders.
	Port *Port
	// LoadBalancer configures the load balancer; may be nil.
	LoadBalancer *LoadBalancerSettings
	// IPFamilies of the Service, or none for all of the cluster.
	IPFamilies []IPFamily
	// ExternalTrafficPolicy that the spec asks for, or empty.
	ExternalTrafficPolicy TrafficPolicy
	// TLSSecretName names the certificate that the component serves with, or is empty.
	TLSSecretName SecretName
	// Certificate asks cert-manager for the certificate; may be nil.
	Certificate *CertificateSettings
	// TLSTerminated: TLS ends in front of the component.
	TLSTerminated bool
	// Path that comes before all paths of the component, or empty.
	Path BasePath
	// Ingress configures the Ingress; may be nil.
	Ingress *IngressSettings
	// Gateway configures the route of the Gateway API; may be nil.
	Gateway *GatewaySettings
	// TCP: the component is exposed over TCP, too.
	TCP bool
}

// TLS tells whether viewers speak TLS to the component.
func (s ExposureSettings) TLS() bool {
	return s.TLSSecretName != "" || s.Certificate != nil || s.TLSTerminated || s.Ingress != nil && s.Ingress.TLSSecretName != ""
}

// Settings returns what the exposure says; nil is ClusterIP.
func (e *TrackerExposure) Settings() ExposureSettings {
	if e == nil {
		return ExposureSettings{Type: ExposureClusterIP}
	}
	return ExposureSettings{Type: e.Type, Host: e.Host, Addresses: e.Addresses, NodePort: e.NodePort, Port: e.Port,
		LoadBalancer: e.LoadBalancer, IPFamilies: e.IPFamilies, ExternalTrafficPolicy: e.ExternalTrafficPolicy,
		TLSSecretName: e.TLSSecretName, Certificate: e.Certificate, TLSTerminated: e.TLSTerminated, Path: e.Path, Ingress: e.Ingress, Gateway: e.Gateway}
}

// Settings returns what the exposure says; nil is ClusterIP.
func (e *STUNExposure) Settings() ExposureSettings {
	if e == nil {
		return ExposureSettings{Type: ExposureClusterIP}
	}
	return ExposureSettings{Type: e.Type, Host: e.Host, Addresses: e.Addresses, NodePort: e.NodePort, Port: e.Port,
		LoadBalancer: e.LoadBalancer, IPFamilies: e.IPFamilies, TCP: e.TCP}
}

// Settings returns what the exposure says; nil is ClusterIP.
func (e *SeederExposure) Settings() ExposureSettings {
	if e == nil {
		return ExposureSettings{Type: ExposureClusterIP}
	}
	return ExposureSettings{Type: e.Type, Addresses: e.Addresses, Port: e.Port, LoadBalancer: e.LoadBalancer,
		IPFamilies: e.IPFamilies, ExternalTrafficPolicy: e.ExternalTrafficPolicy}
}

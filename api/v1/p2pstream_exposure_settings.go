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
	// ExternalTrafficPolicy that the spec asks for, or empty.
	ExternalTrafficPolicy TrafficPolicy
	// TLSSecretName names the certificate that the component serves with, or is empty.
	TLSSecretName SecretName
}

// Settings returns what the exposure says; nil is ClusterIP.
func (e *TrackerExposure) Settings() ExposureSettings {
	if e == nil {
		return ExposureSettings{Type: ExposureClusterIP}
	}
	return ExposureSettings{e.Type, e.Host, e.Addresses, e.NodePort, e.ExternalTrafficPolicy, e.TLSSecretName}
}

// Settings returns what the exposure says; nil is ClusterIP.
func (e *STUNExposure) Settings() ExposureSettings {
	if e == nil {
		return ExposureSettings{Type: ExposureClusterIP}
	}
	return ExposureSettings{Type: e.Type, Host: e.Host, Addresses: e.Addresses, NodePort: e.NodePort}
}

// Settings returns what the exposure says; nil is ClusterIP.
func (e *SeederExposure) Settings() ExposureSettings {
	if e == nil {
		return ExposureSettings{Type: ExposureClusterIP}
	}
	return ExposureSettings{Type: e.Type, Addresses: e.Addresses}
}

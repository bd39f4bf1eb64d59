package v1

import (
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// NetworkReference names the P2PNetwork that a stream uses.
type NetworkReference struct {
	// Name of the network. Empty asks for a tracker and STUN servers of the stream's own, where the operator has a default network.
	// +required
	Name NetworkName `json:"name"`

	// Namespace of the network. When empty, that of the stream. The network must admit the namespace of the stream.
	// +optional
	Namespace NamespaceName `json:"namespace,omitempty"`
}

// NetworkName is the name of a network, or empty.
// +kubebuilder:validation:MaxLength=37
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="networkRef.name must be the name of a P2PNetwork, or empty"
type NetworkName string

// NamespaceName is the name of a namespace, or empty.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="networkRef.namespace must be the name of a namespace, or empty"
type NamespaceName string

// MaxNetworkNameLength bounds the name of a network, as MaxNameLength does for streams.
const MaxNetworkNameLength = 37

// attached tells whether the spec names a network.
func (s *P2PStreamSpec) attached() bool { return s.NetworkRef != nil && s.NetworkRef.Name != "" }

func (r *NetworkReference) validate(at *field.Path) field.ErrorList {
	if r == nil {
		return nil
	}
	var errs field.ErrorList
	if n := string(r.Name); n != "" && (len(n) > MaxNetworkNameLength || !streamName.MatchString(n)) {
		errs = append(errs, field.Invalid(at.Child("name"), n, "networkRef.name must be the name of a P2PNetwork, or empty"))
	}
	if n := string(r.Namespace); n != "" && (len(n) > 63 || !namespaceName.MatchString(n)) {
		errs = append(errs, field.Invalid(at.Child("namespace"), n, "networkRef.namespace must be the name of a namespace, or empty"))
	}
	return errs
}

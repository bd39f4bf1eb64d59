package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is the kind of the resource.
const Kind = "P2PStream"

// NetworkKind is the kind of what streams share.
const NetworkKind = "P2PNetwork"

var (
	// GroupVersion is the group and version of every type of this package.
	GroupVersion = schema.GroupVersion{Group: "p2pstream.dev", Version: "v1"}

	// SchemeBuilder collects the functions that register this package in a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the types of this package in a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &P2PStream{}, &P2PStreamList{}, &P2PNetwork{}, &P2PNetworkList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

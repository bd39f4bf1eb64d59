package v1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// P2PNetwork is what streams share: the tracker, the STUN servers and the entrance under which viewers reach them, the sites, and
// who may use it. A stream uses it with spec.networkRef. It is for the people who run the platform; streams are for their users.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=p2pnetworks,singular=p2pnetwork,shortName=p2pn,categories=ecdn,scope=Namespaced
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Streams",type=integer,JSONPath=`.status.streams.attached`
// +kubebuilder:printcolumn:name="Refused",type=integer,JSONPath=`.status.streams.refused`
// +kubebuilder:printcolumn:name="Viewers",type=integer,JSONPath=`.status.viewers`
// +kubebuilder:printcolumn:name="Offload",type=integer,JSONPath=`.status.offload.percent`,description="Percent of the media bytes that viewers of all streams received from peers"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Entrance",type=string,priority=1,JSONPath=`.status.endpoints.url`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 37 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be lower case letters, digits and -, start with a letter, end with a letter or digit, and have 37 characters at most: Services and pods are named after it"
type P2PNetwork struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec describes what streams share, and which streams may.
	// +optional
	Spec P2PNetworkSpec `json:"spec,omitempty"`

	// Status is the last observed state. Only the operator writes it.
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "TrackerReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "STUNReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "EntranceReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "SitesReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status P2PNetworkStatus `json:"status,omitempty"`
}

// P2PNetworkList is a list of networks.
//
// +kubebuilder:object:root=true
type P2PNetworkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []P2PNetwork `json:"items"`
}

// P2PNetworkSpec is the desired state. Nothing is required: a network without settings is for streams of its own namespace and is
// reached inside the cluster.
type P2PNetworkSpec struct {
	// Streams says which streams may use the network, and how much each may ask for.
	// +optional
	Streams *NetworkStreamsSpec `json:"streams,omitempty"`

	// Tracker introduces peers of all streams to each other. Its exposure is the entrance: each stream has the path
	// /NAMESPACE/NAME/ there.
	// +optional
	Tracker *TrackerSpec `json:"tracker,omitempty"`

	// STUN tells browsers of all streams their own address.
	// +optional
	STUN *STUNSpec `json:"stun,omitempty"`

	// Seeders are defaults for the seeders of streams.
	// +optional
	Seeders *NetworkSeedersSpec `json:"seeders,omitempty"`

	// Sites are the places in the network that viewers of all streams are in.
	// +optional
	Sites *SitesSpec `json:"sites,omitempty"`

	// Pods shapes the pods of tracker and STUN servers, and by default those of the streams: their seeders. What a stream sets comes on
	// top, unless streams.podOverrides is Forbidden. Secrets and accounts that it names have to be in the namespaces of the streams, too.
	// +optional
	Pods *PodsSpec `json:"pods,omitempty"`
}

// NetworkStreamsSpec says which streams may use a network.
type NetworkStreamsSpec struct {
	// Namespaces whose streams are admitted. When unset, streams of the network's own namespace are.
	// +optional
	Namespaces *NetworkNamespaces `json:"namespaces,omitempty"`

	// PodOverrides is Allowed, the default, for streams that shape their own pods on top of pods, or Forbidden: then spec.pods,
	// spec.seeders.nodeSelector and spec.seeders.tolerations of streams are not used, and their condition Accepted has the reason Limited.
	// +optional
	PodOverrides PodOverrides `json:"podOverrides,omitempty"`

	// Limits of what streams may ask for. A stream that asks for more gets what they allow, and its condition
	// Accepted has the reason Limited.
	// +optional
	Limits *NetworkLimits `json:"limits,omitempty"`
}

// PodOverrides says whether streams may shape their own pods.
// +kubebuilder:validation:Enum=Allowed;Forbidden
type PodOverrides string

// Whether streams may shape their own pods.
const (
	// PodOverridesAllowed lets what a stream sets come on top of what the network sets.
	PodOverridesAllowed PodOverrides = "Allowed"
	// PodOverridesForbidden gives the pods of all streams the shape that the network sets.
	PodOverridesForbidden PodOverrides = "Forbidden"
)

// NamespacesFrom says where streams may come from.
// +kubebuilder:validation:Enum=Same;All;Selector
type NamespacesFrom string

// Where streams may come from.
const (
	// NamespacesFromSame is the network's own namespace.
	NamespacesFromSame NamespacesFrom = "Same"
	// NamespacesFromAll is every namespace.
	NamespacesFromAll NamespacesFrom = "All"
	// NamespacesFromSelector are the namespaces with certain labels.
	NamespacesFromSelector NamespacesFrom = "Selector"
)

// NetworkNamespaces are the namespaces whose streams are admitted.
// +kubebuilder:validation:XValidation:rule="(has(self.from) && self.from == 'Selector') == has(self.selector)",message="streams.namespaces.selector and from Selector need each other: the labels of the namespaces"
type NetworkNamespaces struct {
	// From is Same for the network's own namespace, All for every namespace, or Selector for those whose labels selector
	// selects. Default Same.
	// +optional
	From NamespacesFrom `json:"from,omitempty"`

	// Selector selects namespaces by their labels. A change of labels counts within a minute.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// NetworkLimits bound what streams may ask for.
type NetworkLimits struct {
	// Streams is how many may be attached; those that came first keep their place. Default and maximum 2000.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 2000",message="streams.limits.streams must be between 1 and 2000"
	Streams *int32 `json:"streams,omitempty"`

	// StreamsPerNamespace is how many of one namespace may be attached, so that one team does not take the places of all. Default: as
	// many as the network admits.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 2000",message="streams.limits.streamsPerNamespace must be between 1 and 2000"
	StreamsPerNamespace *int32 `json:"streamsPerNamespace,omitempty"`

	// SeedersPerStream is the highest spec.seeders.replicas and spec.seeders.scale.max of a stream. A stream with a scale and
	// without max gets 4, or this if it is less.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 64",message="streams.limits.seedersPerStream must be between 0 and 64"
	SeedersPerStream *int32 `json:"seedersPerStream,omitempty"`

	// UplinkPerSeeder is the highest spec.seeders.uplink of a stream, and what a stream without one gets.
	// +optional
	UplinkPerSeeder BitRate `json:"uplinkPerSeeder,omitempty"`

	// CacheSize is the highest spec.seeders.cacheSize of a stream. A stream without one gets 512Mi, or this if it is less.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('16Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Gi')) <= 0",message="streams.limits.cacheSize must be between 16Mi and 64Gi"
	CacheSize *resource.Quantity `json:"cacheSize,omitempty"`
}

// NetworkSeedersSpec are defaults of spec.seeders of streams, each for a stream that leaves it out.
type NetworkSeedersSpec struct {
	// Exposure configures how viewers reach the seeders.
	// +optional
	Exposure *SeederExposure `json:"exposure,omitempty"`

	// NodeSelector selects the nodes that seeders run on.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// Tolerations of the seeder pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
}

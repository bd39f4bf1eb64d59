package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// P2PNetworkStatus is the last observed state.
type P2PNetworkStatus struct {
	// ObservedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Claim says which installation of the operator reconciles this network. Others leave it alone.
	// +optional
	Claim *ClaimStatus `json:"claim,omitempty"`

	// Conditions are Ready, Reconciling and Stalled as kstatus defines them, and TrackerReady, STUNReady, EntranceReady and
	// SitesReady.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Endpoints are where viewers reach the network.
	// +optional
	Endpoints *NetworkEndpointsStatus `json:"endpoints,omitempty"`

	// Streams counts the streams that name this network.
	// +optional
	Streams *NetworkStreamsStatus `json:"streams,omitempty"`

	// Viewers is the number of viewers of all attached streams. It is absent while it is not known.
	// +optional
	Viewers *int32 `json:"viewers,omitempty"`

	// Offload is how much of the traffic of all attached streams did not come from origins.
	// +optional
	Offload *NetworkOffloadStatus `json:"offload,omitempty"`

	// Sites are the figures of each site over all attached streams, of the 50 sites with most traffic; the others are summed
	// in one named other.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=51
	Sites []SiteStatus `json:"sites,omitempty"`

	// WorstSite is the site whose line carries most copies of what is played there.
	// +optional
	WorstSite *WorstSiteStatus `json:"worstSite,omitempty"`
}

// NetworkEndpointsStatus is where viewers reach a network.
type NetworkEndpointsStatus struct {
	// URL of the entrance. A stream's pages are at URL/NAMESPACE/NAME/.
	// +optional
	URL string `json:"url,omitempty"`
	// Announce is the tracker's WebSocket URL for all streams.
	// +optional
	Announce string `json:"announce,omitempty"`
	// STUN lists the STUN URLs that are handed out.
	// +optional
	// +listType=set
	STUN []string `json:"stun,omitempty"`
}

// NetworkStreamsStatus counts the streams that name a network.
type NetworkStreamsStatus struct {
	// Attached streams are served.
	// +optional
	Attached int32 `json:"attached"`
	// Refused streams are not; their condition Accepted says why.
	// +optional
	Refused int32 `json:"refused"`
}

// NetworkOffloadStatus sums the windows of the attached streams.
type NetworkOffloadStatus struct {
	// Percent is the share of the media bytes that came from peers.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
	// Reporting is the number of viewers that this is based on.
	// +optional
	Reporting int32 `json:"reporting"`
}

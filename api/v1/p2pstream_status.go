package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// P2PStreamStatus is what was last observed.
type P2PStreamStatus struct {
	// ObservedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready, Reconciling and Stalled as kstatus reads them, and Peerable, TrackerReady,
	// STUNReady, SeedersReady, TelemetryFresh.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Endpoints are the addresses that players and people use.
	// +optional
	Endpoints *EndpointsStatus `json:"endpoints,omitempty"`

	// Renditions of the stream, each with its swarms.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Renditions []RenditionStatus `json:"renditions,omitempty"`

	// Seeders are the seeder pods, for the scale subresource.
	// +optional
	Seeders *SeedersStatus `json:"seeders,omitempty"`

	// Swarm counts who is there.
	// +optional
	Swarm *SwarmStatus `json:"swarm,omitempty"`

	// Offload is how much of the traffic never touched the origin, as viewers reported it.
	// +optional
	Offload *OffloadStatus `json:"offload,omitempty"`
}

// EndpointsStatus holds the addresses of a stream.
type EndpointsStatus struct {
	// Announce is the tracker's WebSocket URL.
	// +optional
	Announce string `json:"announce,omitempty"`
	// STUN lists the STUN URLs that are handed out.
	// +optional
	// +listType=set
	STUN []string `json:"stun,omitempty"`
	// Config is the URL where players get their settings.
	// +optional
	Config string `json:"config,omitempty"`
	// Player is a page that plays the stream.
	// +optional
	Player string `json:"player,omitempty"`
}

// SeedersStatus counts seeder pods, whether or not they reached the tracker.
type SeedersStatus struct {
	// Replicas is the number of seeder pods.
	// +optional
	Replicas int32 `json:"replicas"`
	// Ready is the number of those that are ready.
	// +optional
	Ready int32 `json:"ready"`
	// Selector selects them, as autoscalers want it.
	// +optional
	Selector string `json:"selector,omitempty"`
}

// RenditionStatus is one quality or audio track.
type RenditionStatus struct {
	// Name is unique within the stream, for example 720p or audio-en.
	// +required
	Name string `json:"name"`
	// Bandwidth in bits per second, as the manifest states it.
	// +optional
	Bandwidth int64 `json:"bandwidth,omitempty"`
	// InfoHashes by generation (v2.2, v2.3): 20 characters each, as trackers see them.
	// +optional
	InfoHashes map[string]string `json:"infoHashes,omitempty"`
	// Peers in all swarms of this rendition together.
	// +optional
	Peers int32 `json:"peers"`
}

// SwarmStatus counts. A count that is not known is absent, not zero.
type SwarmStatus struct {
	// Viewers counts people: reporting sessions and the viewer sockets that do not report.
	// +optional
	Viewers *int32 `json:"viewers,omitempty"`
	// Seeders that are connected to the tracker.
	// +optional
	Seeders *int32 `json:"seeders,omitempty"`
	// Peers counts memberships of swarms; one viewer has several.
	// +optional
	Peers *int32 `json:"peers,omitempty"`
}

// OffloadStatus is media bytes that viewers received, by source, over a window and in total. Init
// segments, keys and playlists are not media bytes.
type OffloadStatus struct {
	// Percent of the media bytes of the window that came from peers. Absent while fewer than 20 % of the
	// viewers report, or nothing was received.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
	// PeerBytes came from other viewers, within the window.
	// +optional
	PeerBytes int64 `json:"peerBytes"`
	// SeederBytes came from seeders, within the window.
	// +optional
	SeederBytes int64 `json:"seederBytes"`
	// OriginBytes came from the origin by HTTP, within the window.
	// +optional
	OriginBytes int64 `json:"originBytes"`
	// Reporting is the number of viewers that these figures come from.
	// +optional
	Reporting int32 `json:"reporting"`
	// Window that percent and bytes speak of.
	// +optional
	Window *metav1.Duration `json:"window,omitempty"`
	// Since is when the totals began.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// Totals since then.
	// +optional
	Totals *OffloadTotals `json:"totals,omitempty"`
	// Runs are the trackers' own counts when they were last added to the totals, most recently read last:
	// of a run that is read again, only what came on top is added. They are the operator's memory, kept
	// here so that it is written together with the totals.
	// +optional
	// +listType=map
	// +listMapKey=boot
	// +kubebuilder:validation:MaxItems=8
	Runs []TrackerRun `json:"runs,omitempty"`
	// ObservedAt is when the figures were read. They stay, with their time, when reports stop.
	// +optional
	ObservedAt *metav1.Time `json:"observedAt,omitempty"`
}

// TrackerRun is what one run of a tracker had counted when it was last read.
type TrackerRun struct {
	// Boot is the id of the run, as the tracker's stats give it.
	// +required
	// +kubebuilder:validation:MaxLength=128
	Boot string `json:"boot"`
	// Reading is the number that the tracker gave to the reading, by which a later tracker knows what of a
	// viewer's bytes is in it.
	// +optional
	Reading int64 `json:"reading,omitempty"`
	// Counted by this run until then.
	// +required
	Counted OffloadTotals `json:"counted"`
}

// OffloadTotals are media bytes that viewers received since the totals began.
type OffloadTotals struct {
	// PeerBytes came from other viewers.
	// +optional
	PeerBytes int64 `json:"peerBytes"`
	// SeederBytes came from seeders.
	// +optional
	SeederBytes int64 `json:"seederBytes"`
	// OriginBytes came from the origin by HTTP.
	// +optional
	OriginBytes int64 `json:"originBytes"`
	// DiscardedBytes are those of the above that were received twice or thrown away.
	// +optional
	DiscardedBytes int64 `json:"discardedBytes"`
}

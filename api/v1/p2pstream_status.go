package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// P2PStreamStatus is the last observed state.
type P2PStreamStatus struct {
	// ObservedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// LastHandledReconcileAt is the value of the annotation p2pstream.dev/reconcile that the operator has acted on.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// Claim says which installation of the operator reconciles this stream. Others leave it alone.
	// +optional
	Claim *ClaimStatus `json:"claim,omitempty"`

	// Conditions are Ready, Reconciling and Stalled as kstatus defines them, and Peerable, TrackerReady,
	// STUNReady, SeedersReady and TelemetryFresh.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Upgrade is under way or waits for its turn. It is absent while all pods are what this version of the operator makes.
	// +optional
	Upgrade *UpgradeStatus `json:"upgrade,omitempty"`

	// Endpoints are the URLs that players and users open.
	// +optional
	Endpoints *EndpointsStatus `json:"endpoints,omitempty"`

	// Renditions of the stream, each with its swarms.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Renditions []RenditionStatus `json:"renditions,omitempty"`

	// Network is what the stream holds on the network that has accepted it. It is absent while none has.
	// +optional
	Network *NetworkPlaceStatus `json:"network,omitempty"`

	// Seeders are the seeder pods, for the scale subresource.
	// +optional
	Seeders *SeedersStatus `json:"seeders,omitempty"`

	// Swarm counts viewers, seeders and peers.
	// +optional
	Swarm *SwarmStatus `json:"swarm,omitempty"`

	// Offload is how much of the traffic did not come from the origin, as reported by viewers.
	// +optional
	Offload *OffloadStatus `json:"offload,omitempty"`

	// Sites are the figures of the sites with most traffic, by name, when spec.sites is set. The others are summed
	// under the name other. Viewers outside of all sites are not in them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=51
	Sites []SiteStatus `json:"sites,omitempty"`

	// WorstSite is the site whose line carries most copies of what is played there.
	// +optional
	WorstSite *WorstSiteStatus `json:"worstSite,omitempty"`
}

// ClaimStatus is an installation's claim on a stream.
type ClaimStatus struct {
	// Controller is the name of the installation, namespace/name of its Lease by default.
	// +required
	// +kubebuilder:validation:MaxLength=320
	Controller string `json:"controller"`
	// RenewedAt is when it was renewed. Another installation may take over a claim that has not been renewed for 15 minutes.
	// +required
	RenewedAt metav1.Time `json:"renewedAt"`
}

// NetworkPlaceStatus is what a stream holds on a network: a place, and a swarm. Who has held it longer keeps it.
type NetworkPlaceStatus struct {
	// Name of the network, as namespace/name.
	// +required
	// +kubebuilder:validation:MaxLength=320
	Name string `json:"name"`
	// AttachedAt is since when the network has accepted the stream.
	// +required
	AttachedAt metav1.Time `json:"attachedAt"`
	// Swarm identifies what the swarms are derived from: a hash of spec.swarmID, or of the path of spec.source.url.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Swarm string `json:"swarm"`
	// SwarmSince is since when the stream has had it on the network. Another swarmID is a new claim.
	// +required
	SwarmSince metav1.Time `json:"swarmSince"`
}

// EndpointsStatus holds the URLs of a stream.
type EndpointsStatus struct {
	// Announce is the tracker's WebSocket URL.
	// +optional
	Announce string `json:"announce,omitempty"`
	// STUN lists the STUN URLs that are handed out.
	// +optional
	// +listType=set
	STUN []string `json:"stun,omitempty"`
	// Config is the URL from which players fetch their settings.
	// +optional
	Config string `json:"config,omitempty"`
	// Player is the URL of a page that plays the stream.
	// +optional
	Player string `json:"player,omitempty"`
}

// SeedersStatus counts seeder pods, whether or not they are connected to the tracker.
type SeedersStatus struct {
	// Replicas is the number of seeder pods.
	// +optional
	Replicas int32 `json:"replicas"`
	// Ready is the number of seeder pods that are ready.
	// +optional
	Ready int32 `json:"ready"`
	// Selector selects the seeder pods, in the form that autoscalers read.
	// +optional
	Selector string `json:"selector,omitempty"`
	// Scale is what spec.seeders.scale has come to. It is absent without one.
	// +optional
	Scale *SeederScaleStatus `json:"scale,omitempty"`
	// Edge counts the seeder pods of spec.sites.list, which are not among the others. It is absent without any.
	// +optional
	Edge *EdgeSeedersStatus `json:"edge,omitempty"`
}

// EdgeSeedersStatus counts the seeder pods of sites.
type EdgeSeedersStatus struct {
	// Replicas is the number of pods.
	// +optional
	Replicas int32 `json:"replicas"`
	// Ready is the number of pods that are ready.
	// +optional
	Ready int32 `json:"ready"`
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
	// Peers is the number of peers in all swarms of this rendition.
	// +optional
	Peers int32 `json:"peers"`
}

// SwarmStatus holds counts. A count that is not known is absent, not zero.
type SwarmStatus struct {
	// Viewers is the number of sessions that report, plus the viewer connections that do not.
	// +optional
	Viewers *int32 `json:"viewers,omitempty"`
	// Seeders is the number of seeders that are connected to the tracker.
	// +optional
	Seeders *int32 `json:"seeders,omitempty"`
	// Peers is the number of swarm memberships. One viewer has several.
	// +optional
	Peers *int32 `json:"peers,omitempty"`
}

// OffloadStatus counts the media bytes that viewers received, by source, over a window and in total.
// Initialization segments, keys and playlists are not counted.
type OffloadStatus struct {
	// Percent is the share of the media bytes in the window that came from peers. It is absent while fewer
	// than 20 % of the viewers report, and when nothing was received.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
	// PeerBytes is the number of bytes received from other viewers within the window.
	// +optional
	PeerBytes int64 `json:"peerBytes"`
	// SeederBytes is the number of bytes received from seeders within the window.
	// +optional
	SeederBytes int64 `json:"seederBytes"`
	// OriginBytes is the number of bytes received from the origin over HTTP within the window.
	// +optional
	OriginBytes int64 `json:"originBytes"`
	// Reporting is the number of viewers that these figures are based on.
	// +optional
	Reporting int32 `json:"reporting"`
	// Window is the period that percent and bytes cover.
	// +optional
	Window *metav1.Duration `json:"window,omitempty"`
	// Since is the time from which totals are counted.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// Totals are counted from the time in since.
	// +optional
	Totals *OffloadTotals `json:"totals,omitempty"`
	// Runs are the trackers' own counters when they were last added to the totals, the most recently read
	// run last. When a run is read again, only the difference is added. The operator keeps them here so that
	// they are written together with the totals.
	// +optional
	// +listType=map
	// +listMapKey=boot
	// +kubebuilder:validation:MaxItems=8
	Runs []TrackerRun `json:"runs,omitempty"`
	// ObservedAt is when the figures were read. When reports stop, the figures stay, with their time.
	// +optional
	ObservedAt *metav1.Time `json:"observedAt,omitempty"`
}

// TrackerRun holds the counters of one run of a tracker when it was last read.
type TrackerRun struct {
	// Boot is the id of the run in the tracker's stats.
	// +required
	// +kubebuilder:validation:MaxLength=128
	Boot string `json:"boot"`
	// Reading is the number that the tracker assigned to the reading. A later tracker uses it to tell which
	// of a viewer's bytes the totals already include.
	// +optional
	Reading int64 `json:"reading,omitempty"`
	// Counted is what this run had counted until then.
	// +required
	Counted OffloadTotals `json:"counted"`
}

// OffloadTotals count the media bytes that viewers received since the totals began.
type OffloadTotals struct {
	// PeerBytes is the number of bytes received from other viewers.
	// +optional
	PeerBytes int64 `json:"peerBytes"`
	// SeederBytes is the number of bytes received from seeders.
	// +optional
	SeederBytes int64 `json:"seederBytes"`
	// OriginBytes is the number of bytes received from the origin over HTTP.
	// +optional
	OriginBytes int64 `json:"originBytes"`
	// DiscardedBytes is the number of the bytes above that were received twice or discarded.
	// +optional
	DiscardedBytes int64 `json:"discardedBytes"`
}

package v1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// P2PStream gives one HLS or DASH presentation a tracker, a STUN server and seeders, and reports how
// many viewers there are and how much of their traffic did not come from the origin.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.seeders.replicas,statuspath=.status.seeders.replicas,selectorpath=.status.seeders.selector
// +kubebuilder:resource:path=p2pstreams,singular=p2pstream,shortName=p2ps,categories=ecdn,scope=Namespaced
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Viewers",type=integer,JSONPath=`.status.swarm.viewers`
// +kubebuilder:printcolumn:name="Offload",type=integer,JSONPath=`.status.offload.percent`,description="Percent of the media bytes that viewers received from peers"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Copies",type=string,priority=1,JSONPath=`.status.worstSite.copies`,description="How many times what is played came over the line of the site where that is most"
// +kubebuilder:printcolumn:name="Tracker",type=string,priority=1,JSONPath=`.status.endpoints.announce`
// +kubebuilder:printcolumn:name="Seeders",type=integer,priority=1,JSONPath=`.status.swarm.seeders`
// +kubebuilder:printcolumn:name="Source",type=string,priority=1,JSONPath=`.spec.source.url`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 45 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be lower case letters, digits and -, start with a letter, end with a letter or digit, and have 45 characters at most: Services and pods are named after it"
type P2PStream struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec describes the stream to share, and how to share it.
	// +required
	Spec P2PStreamSpec `json:"spec"`

	// Status is the last observed state. Only the operator writes it.
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "Peerable", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "TrackerReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "STUNReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "SeedersReady", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}, {type: "TelemetryFresh", status: "Unknown", reason: "Pending", message: "Waiting for the operator", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status P2PStreamStatus `json:"status,omitempty"`
}

// AnnotationReconcile of a stream asks the operator to look at it now, without waiting for back-offs: any value that it did
// not have before, such as a time.
const AnnotationReconcile = "p2pstream.dev/reconcile"

// P2PStreamList is a list of streams.
//
// +kubebuilder:object:root=true
type P2PStreamList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []P2PStream `json:"items"`
}

// P2PStreamSpec is the desired state. Only source.url is required.
// +kubebuilder:validation:XValidation:rule="!has(self.networkRef) || size(self.networkRef.name) == 0 || (!has(self.tracker) && !has(self.stun) && !has(self.sites))",message="tracker, stun and sites are the network's: remove them, or networkRef"
type P2PStreamSpec struct {
	// Source is the presentation to share.
	// +required
	Source SourceSpec `json:"source"`

	// NetworkRef names the network whose tracker, STUN servers, entrance and sites the stream uses. When unset, the stream has
	// a tracker and STUN servers of its own, or uses the operator's default network if there is one.
	// +optional
	NetworkRef *NetworkReference `json:"networkRef,omitempty"`

	// SwarmID is the name that swarms are derived from. When empty, it is derived from source.url as a
	// player without a swarm id does. A name of your own stays valid across redirects and changed URLs, but
	// every player must then be configured with it, which the config endpoint does.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	SwarmID string `json:"swarmID,omitempty"`

	// Suspend stops reconciliation: running pods continue, and the operator changes nothing.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// Generations of p2p-media-loader whose viewers the stream serves, from one fetched copy. v3 is not released yet. Default: v2.2
	// and v2.3.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Generations []Generation `json:"generations,omitempty"`

	// Tracker introduces peers to each other.
	// +optional
	Tracker *TrackerSpec `json:"tracker,omitempty"`

	// STUN tells browsers their own address. Browsers in different offices need it to connect to each other.
	// +optional
	STUN *STUNSpec `json:"stun,omitempty"`

	// Seeders fetch the stream ahead of the audience and upload it.
	// +optional
	Seeders *SeedersSpec `json:"seeders,omitempty"`

	// Sites are the places in the network that viewers are in. When unset, viewers of all places exchange segments with each
	// other.
	// +optional
	Sites *SitesSpec `json:"sites,omitempty"`

	// Viewers configures the settings that the config endpoint returns to players.
	// +optional
	Viewers *ViewersSpec `json:"viewers,omitempty"`

	// Pods shapes the pods of tracker, STUN servers and seeders: where they run, and what policies want of them.
	// +optional
	Pods *PodsSpec `json:"pods,omitempty"`

	// Telemetry configures how often peers report.
	// +optional
	Telemetry *TelemetrySpec `json:"telemetry,omitempty"`
}

// Generation is one of p2p-media-loader: peers of different generations do not understand each other.
// +kubebuilder:validation:Enum=v2.2;v2.3;v3
type Generation string

// StreamFormat is the kind of manifest.
// +kubebuilder:validation:Enum=HLS;DASH
type StreamFormat string

// The formats a stream may have.
const (
	FormatHLS  StreamFormat = "HLS"
	FormatDASH StreamFormat = "DASH"
)

// URL is an absolute http or https URL.
// +kubebuilder:validation:MaxLength=2048
type URL string

// SourceSpec names the presentation.
type SourceSpec struct {
	// URL is the manifest that players open.
	// +required
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && size(url(self).getHostname()) > 0",message="source.url must be an absolute http or https URL, such as https://origin.example.com/live/master.m3u8"
	URL URL `json:"url"`

	// SeederURL is where tracker and seeders fetch the manifest, if not from url: the same presentation, for
	// example at an address inside the cluster.
	// +optional
	// +kubebuilder:validation:XValidation:rule="size(self) == 0 || (isURL(self) && url(self).getScheme() in ['http', 'https'] && size(url(self).getHostname()) > 0)",message="source.seederURL must be an absolute http or https URL, such as http://origin.media.svc/live/master.m3u8"
	SeederURL URL `json:"seederURL,omitempty"`

	// Format is the kind of manifest. When unset, trackers and seeders find it in the manifest itself.
	// +optional
	Format StreamFormat `json:"format,omitempty"`

	// HeadersSecretRef names a Secret whose keys and values are sent to the origin as request headers.
	// Tracker and seeders mount it; the operator never reads it.
	// +optional
	HeadersSecretRef *SecretReference `json:"headersSecretRef,omitempty"`

	// CASecretRef names a Secret whose key ca.crt holds the certificates to trust for the origin, instead of
	// the public ones. Tracker and seeders mount it; the operator never reads it.
	// +optional
	CASecretRef *SecretReference `json:"caSecretRef,omitempty"`

	// SignedPaths are starts of URL paths in which an asterisk stands for one element that a signature changes, such
	// as /token/*/: segments whose URLs differ there only are the same. Signatures in the query need nothing.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	SignedPaths []SignedPath `json:"signedPaths,omitempty"`
}

// SignedPath is the start of a URL path with an asterisk for each element that a signature changes.
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && self.contains('*')",message="source.signedPaths must hold paths with an asterisk, such as /token/*/"
type SignedPath string

// SecretReference names a Secret in the namespace of the stream.
type SecretReference struct {
	// Name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	Name SecretName `json:"name"`
}

// SecretName is the name of a Secret in the namespace of the stream.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a Secret: lower case letters, digits, - and ."
type SecretName string

// TrackerSpec configures the tracker.
type TrackerSpec struct {
	// Replicas is the number of trackers. It must be 1 until several can share a swarm.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == 1",message="tracker.replicas must be 1: several trackers cannot share a swarm"
	Replicas *int32 `json:"replicas,omitempty"`

	// Exposure configures how viewers reach the tracker. When unset, it is reachable inside the cluster only.
	// +optional
	Exposure *TrackerExposure `json:"exposure,omitempty"`

	// AllowedOrigins are the web origins whose pages may use this tracker, for example
	// https://intranet.example.com. When empty, every page may. When set, requests without an Origin header need a
	// ticket or a token.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	AllowedOrigins []WebOrigin `json:"allowedOrigins,omitempty"`

	// AllowNoOrigin true accepts requests that have neither an Origin header nor a credential, for programs
	// that are not browsers. Default false.
	// +optional
	AllowNoOrigin *bool `json:"allowNoOrigin,omitempty"`
	// CandidateRanges are the addresses that viewers and seeders may have, for example 10.0.0.0/8. The tracker leaves
	// out other addresses when it introduces peers to each other. When empty, all addresses may be used.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	CandidateRanges []AddressRange `json:"candidateRanges,omitempty"`

	// ClientAddress says how the tracker learns the addresses of viewers, for sites and for limits of one address. When
	// unset, they are those of the connections.
	// +optional
	ClientAddress *ClientAddressSpec `json:"clientAddress,omitempty"`

	// Dashboard is Internal to show the dashboard on the port of metrics alone, which viewers do not reach, or Public to
	// show it beside the player page too, with the names of sites. Default Internal.
	// +optional
	Dashboard DashboardAccess `json:"dashboard,omitempty"`

	// Resources of each tracker container. Default: requests of 100m CPU and 64Mi of memory, and a memory
	// limit of 1Gi.
	// +optional
	Resources *Resources `json:"resources,omitempty"`
}

// DashboardAccess is who may see the dashboard of a stream.
// +kubebuilder:validation:Enum=Internal;Public
type DashboardAccess string

// Who may see the dashboard of a stream.
const (
	DashboardInternal DashboardAccess = "Internal"
	DashboardPublic   DashboardAccess = "Public"
)

// WebOrigin is the scheme, host and optional port of a page, or * for every page.
// +kubebuilder:validation:MaxLength=300
// +kubebuilder:validation:XValidation:rule="self == '*' || (self.matches('^https?://[^/?#@ ]+$') && isURL(self) && size(url(self).getHostname()) > 0)",message="tracker.allowedOrigins must hold * or scheme://host[:port] without a path, such as https://intranet.example.com"
type WebOrigin string

// AddressRange is a range of IP addresses, such as 10.0.0.0/8.
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="tracker.candidateRanges must hold ranges of IP addresses, such as 10.0.0.0/8"
type AddressRange string

// STUNServer is the URI of a STUN server, stun:HOST:PORT (RFC 7064).
// +kubebuilder:validation:MaxLength=300
// +kubebuilder:validation:XValidation:rule="self.matches('^stun:([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?$')",message="stun.servers must hold STUN servers, such as stun:stun.example.com:3478"
type STUNServer string

// STUNSpec configures the STUN servers.
type STUNSpec struct {
	// Enabled false runs no STUN server, for streams whose viewers all share one network, or that have others in servers.
	// Default true.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// Servers are STUN servers that you have already. Viewers are given these first, and four servers at most in all. The
	// tracker asks each of them whether it answers.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=4
	Servers []STUNServer `json:"servers,omitempty"`

	// Replicas is the number of STUN servers. Default 1.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 16",message="stun.replicas must be between 1 and 16; to run none, set stun.enabled to false"
	Replicas *int32 `json:"replicas,omitempty"`

	// Exposure configures how viewers reach the STUN servers. When unset, they are reachable inside the
	// cluster only.
	// +optional
	Exposure *STUNExposure `json:"exposure,omitempty"`

	// Resources of each STUN container. Default: requests of 50m CPU and 32Mi of memory, and a memory limit
	// of 128Mi.
	// +optional
	Resources *Resources `json:"resources,omitempty"`
}

// SuperSeeding says from which viewers seeders hold live segments back.
// +kubebuilder:validation:Enum=Auto;Off;Always
type SuperSeeding string

// The values of SuperSeeding.
const (
	SuperSeedingAuto   SuperSeeding = "Auto"
	SuperSeedingOff    SuperSeeding = "Off"
	SuperSeedingAlways SuperSeeding = "Always"
)

// SeedersSpec configures the seeders.
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || !has(self.scale)",message="seeders.replicas and seeders.scale exclude each other: remove scale to count seeders yourself or by an autoscaler, or replicas to let the operator count them"
type SeedersSpec struct {
	// Replicas is the number of seeders; 0 runs none. Default 1. It is what the scale subresource writes.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 64",message="seeders.replicas must be between 0 and 64"
	Replicas *int32 `json:"replicas,omitempty"`

	// Scale lets the operator count the seeders by the audience, in place of replicas: none for a film without viewers, more for
	// more viewers.
	// +optional
	Scale *SeederScale `json:"scale,omitempty"`

	// Renditions are the names of the renditions that seeders hold, as in status.renditions. When empty,
	// seeders hold all renditions.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Renditions []string `json:"renditions,omitempty"`

	// CacheSize limits the media that one seeder holds in memory. Default 512Mi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('16Mi')) >= 0 && quantity(string(self)).compareTo(quantity('64Gi')) <= 0",message="seeders.cacheSize must be between 16Mi and 64Gi"
	CacheSize *resource.Quantity `json:"cacheSize,omitempty"`

	// MaxPeers is the number of peers that one seeder connects to, across all swarms. Default 200.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 5000",message="seeders.maxPeers must be between 1 and 5000"
	MaxPeers *int32 `json:"maxPeers,omitempty"`

	// Uplink limits the rate at which one seeder sends to all its peers together, for example 500Mbit. When
	// unset, there is no limit.
	// +optional
	Uplink BitRate `json:"uplink,omitempty"`

	// SuperSeeding says from which viewers seeders hold a live segment back while another viewer of their site brings it, so
	// that a site gets about one copy. Auto: from viewers of the sites that the tracker knows. Always: from all viewers, as
	// if those outside of sites were one site. Off: from none. Default Auto.
	// +optional
	SuperSeeding SuperSeeding `json:"superSeeding,omitempty"`

	// Exposure configures how viewers reach the seeders. When unset, they are reachable inside the cluster only.
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

	// Resources of each seeder container. Default: a request of 100m CPU, and a memory request and limit of
	// cacheSize plus one eighth of it, 1Mi for each of maxPeers, and 96Mi.
	// +optional
	Resources *Resources `json:"resources,omitempty"`
}

// BitRate is a whole number followed by kbit, Mbit or Gbit: bits per second, in powers of 1000.
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^([1-9][0-9]{3,8}kbit|[1-9][0-9]{0,5}Mbit|[1-9][0-9]{0,2}Gbit)$')",message="seeders.uplink must be a whole number and kbit, Mbit or Gbit, from 1Mbit to 999Gbit, such as 500Mbit"
type BitRate string

// ViewersSpec configures the audience.
// +kubebuilder:validation:XValidation:rule="!has(self.tokens) || !has(self.tickets) || !has(self.tickets.required) || self.tickets.required",message="viewers.tokens needs tickets: remove viewers.tickets.required, or set it to true"
type ViewersSpec struct {
	// P2P false makes players fetch everything from the origin. Default true.
	// +optional
	P2P *bool `json:"p2p,omitempty"`

	// Upload false makes viewers download from peers without uploading to any. Default true.
	// +optional
	Upload *bool `json:"upload,omitempty"`

	// Tickets are what players present to the tracker: the config endpoint puts one into the announce URL.
	// +optional
	Tickets *TicketsSpec `json:"tickets,omitempty"`

	// Tokens, when set, are required by the config endpoint: JSON Web Tokens that your own site gives its
	// viewers. Without one, nothing of the stream is served.
	// +optional
	Tokens *TokensSpec `json:"tokens,omitempty"`
}

// TicketsSpec configures tickets.
type TicketsSpec struct {
	// Required false accepts players without a ticket, for pages whose announce URL is written down in the
	// page. Default true.
	// +optional
	Required *bool `json:"required,omitempty"`

	// Lifetime of a ticket. A player that has lost its connection reconnects with the ticket that it has. Default 36h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('720h')",message="viewers.tickets.lifetime must be between 1m and 720h"
	Lifetime *metav1.Duration `json:"lifetime,omitempty"`
}

// TokensSpec configures the JSON Web Tokens of viewers. Each entry of the Secret or ConfigMap is a key or a key
// set: NAME.pem is a public key or certificate (RS, PS, ES or EdDSA), NAME.jwks or NAME.json a JSON Web Key Set,
// NAME.key a secret of at least 32 bytes for HS256. NAME is the key's id (kid). Several keys are accepted at a
// time, and changes apply without a restart.
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) != has(self.configMapRef)",message="viewers.tokens must have either secretRef or configMapRef: where the keys of the tokens are"
type TokensSpec struct {
	// SecretRef names a Secret with the keys. The tracker mounts it; the operator never reads it.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`

	// ConfigMapRef names a ConfigMap with the keys, for public keys.
	// +optional
	ConfigMapRef *ConfigMapReference `json:"configMapRef,omitempty"`

	// Issuer is what the claim iss must be. When empty, it is not checked.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Issuer string `json:"issuer,omitempty"`

	// Audience is what the claim aud must contain. When empty, it is not checked.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Audience string `json:"audience,omitempty"`

	// ClockSkew is by how much the clocks of the issuer and the tracker may differ. Default 30s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('10m')",message="viewers.tokens.clockSkew must be between 0s and 10m"
	ClockSkew *metav1.Duration `json:"clockSkew,omitempty"`
}

// ConfigMapReference names a ConfigMap in the namespace of the stream.
type ConfigMapReference struct {
	// Name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	Name ConfigMapName `json:"name"`
}

// ConfigMapName is the name of a ConfigMap in the namespace of the stream.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of a ConfigMap: lower case letters, digits, - and ."
type ConfigMapName string

// TelemetrySpec configures the reports of peers.
type TelemetrySpec struct {
	// Interval between two reports of one peer. Default 5s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('60s')",message="telemetry.interval must be between 1s and 60s"
	Interval *metav1.Duration `json:"interval,omitempty"`
}

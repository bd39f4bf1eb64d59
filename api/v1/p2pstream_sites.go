package v1

import corev1 "k8s.io/api/core/v1"

// SitesSpec says which places in the network viewers are in. A site is a place whose line to the outside is to be
// spared: an office, a campus, a VPN. An address belongs to the first site of the list that has a range with it, then
// to the first one of the map, then to the mask's site, and else to none. A changed list, mask, fallback or map applies
// without a restart.
type SitesSpec struct {
	// List of sites; the first one with an address of a viewer is the viewer's. Inside one site the longest range counts.
	// Put longer lists into a ConfigMap and name it in mapRef.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, b.name == a.name))",message="sites.list must not hold two sites of one name: put all ranges of a site into its cidrs"
	List []SiteSpec `json:"list,omitempty"`

	// MapRef names a ConfigMap with further sites as CSV, as network teams have them. The tracker mounts it; a changed
	// map is in use within 90 seconds.
	// +optional
	MapRef *SiteMapReference `json:"mapRef,omitempty"`

	// Mask makes a site of every range of these lengths, for viewers that no site has. Use it when there is no list of
	// subnets.
	// +optional
	Mask *SiteMask `json:"mask,omitempty"`

	// Gateways is how many viewers of each rendition are led to peers outside of a site that does not say it itself. Default 3.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 64",message="sites.gateways must be between 1 and 64"
	Gateways *int32 `json:"gateways,omitempty"`

	// CellSize is how many viewers of a site may meet, for each rendition. A site with more is split into cells, each with
	// gateways of its own: one more copy of the stream enters the site for each cell. Default 1000.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 10 && self <= 50000",message="sites.cellSize must be between 10 and 50000"
	CellSize *int32 `json:"cellSize,omitempty"`

	// Fallback says what applies to viewers that are in no site.
	// +optional
	Fallback *SiteFallback `json:"fallback,omitempty"`
}

// Peering says what the viewers of a site do with other peers: Full viewers receive from peers and serve them,
// ReceiveOnly viewers upload nothing, and Disabled viewers use the origin alone. Off, with quotes, is the same as Disabled:
// without quotes YAML reads it as false, which is refused.
// +kubebuilder:validation:Enum=Full;ReceiveOnly;Off;Disabled
type Peering string

// What viewers of a site do.
const (
	PeeringFull        Peering = "Full"
	PeeringReceiveOnly Peering = "ReceiveOnly"
	PeeringOff         Peering = "Off"
	PeeringDisabled    Peering = "Disabled"
)

// SiteSpec is one site.
type SiteSpec struct {
	// Name of the site, in status and metrics.
	// +required
	Name SiteName `json:"name"`

	// CIDRs are the addresses of the site's viewers, for example 10.1.0.0/16.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	CIDRs []SiteRange `json:"cidrs"`

	// Peering of the site's viewers. Default Full.
	// +optional
	Peering Peering `json:"peering,omitempty"`

	// CrossSite true lets the site's viewers meet viewers of other sites that have it true. Default false.
	// +optional
	CrossSite bool `json:"crossSite,omitempty"`

	// Gateways is how many viewers of each rendition are led to peers outside of the site. Default 3.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 64",message="sites.list.gateways must be between 1 and 64"
	Gateways *int32 `json:"gateways,omitempty"`

	// Seeders that run inside the site, on nodes of the cluster that are there. They serve the viewers of the site, others only
	// with crossSite, and get segments from other seeders before they ask the origin. What is not said here is as in
	// spec.seeders.
	// +optional
	Seeders *SiteSeedersSpec `json:"seeders,omitempty"`

	// Revoked are ids of join files of this site. Seeders with them are not accepted any more, and those that are connected
	// are disconnected.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	Revoked []JoinID `json:"revoked,omitempty"`
}

// JoinID is the id in a join file.
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-f]{16}$')",message="sites.list.revoked must hold ids of join files: 16 hexadecimal digits"
type JoinID string

// SiteSeedersSpec are the seeders of one site.
type SiteSeedersSpec struct {
	// Replicas is the number of seeders at the site; 0 runs none. Default 1.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 8",message="sites.list.seeders.replicas must be between 0 and 8"
	Replicas *int32 `json:"replicas,omitempty"`

	// NodeSelector selects the nodes at the site by their labels, for example topology.kubernetes.io/zone.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector"`

	// Tolerations of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
}

// SiteName is the name of a site.
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule="size(bytes(self)) <= 64 && self.matches('^[\\\\p{L}\\\\p{M}\\\\p{N}\\\\p{P}\\\\p{S}]([\\\\p{L}\\\\p{M}\\\\p{N}\\\\p{P}\\\\p{S} ]*[\\\\p{L}\\\\p{M}\\\\p{N}\\\\p{P}\\\\p{S}])?$')",message="sites.list.name must have 1 to 64 bytes that can be shown, and no space at its ends"
type SiteName string

// SiteRange is a range of IP addresses, such as 10.1.0.0/16.
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="sites.list.cidrs must hold ranges of IP addresses, such as 10.1.0.0/16"
type SiteRange string

// SiteMapReference names a ConfigMap in the namespace of the stream, and the key that holds the map.
type SiteMapReference struct {
	// Name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	Name ConfigMapName `json:"name"`

	// Key of the map in it. Default sites.csv.
	// +optional
	Key ConfigMapKey `json:"key,omitempty"`
}

// ConfigMapKey is a key of a ConfigMap.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="size(self) == 0 || (self.matches('^[-._a-zA-Z0-9]+$') && !self.startsWith('..') && self != '.')",message="must be a key of a ConfigMap: letters, digits, -, _ and ."
type ConfigMapKey string

// SiteMask is a prefix length for each family of addresses.
type SiteMask struct {
	// IPv4 is the length for IPv4, for example 24. When unset, IPv4 addresses get no sites from the mask.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 8 && self <= 32",message="sites.mask.ipv4 must be between 8 and 32"
	IPv4 *int32 `json:"ipv4,omitempty"`

	// IPv6 is the length for IPv6, for example 56. When unset, IPv6 addresses get no sites from the mask.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 16 && self <= 128",message="sites.mask.ipv6 must be between 16 and 128"
	IPv6 *int32 `json:"ipv6,omitempty"`
}

// SiteFallback applies to viewers that are in no site.
type SiteFallback struct {
	// Peering of these viewers. Default Full.
	// +optional
	Peering Peering `json:"peering,omitempty"`
}

// ClientAddressSource is where the addresses of viewers come from.
// +kubebuilder:validation:Enum=Socket;Forwarded;ProxyProtocol
type ClientAddressSource string

// Where the addresses of viewers come from.
const (
	ClientAddressSocket        ClientAddressSource = "Socket"
	ClientAddressForwarded     ClientAddressSource = "Forwarded"
	ClientAddressProxyProtocol ClientAddressSource = "ProxyProtocol"
)

// ClientAddressSpec says how the tracker learns the addresses of viewers.
// +kubebuilder:validation:XValidation:rule="(has(self.from) && self.from != 'Socket') == (has(self.trustedProxies) && size(self.trustedProxies) > 0)",message="tracker.clientAddress.trustedProxies and from Forwarded or ProxyProtocol need each other: the addresses of the proxies, and how they name the viewer"
type ClientAddressSpec struct {
	// From is Socket for viewers that connect directly; Forwarded for HTTP proxies that name the viewer in the header
	// Forwarded or X-Forwarded-For; ProxyProtocol for load balancers that send a header of the PROXY protocol, version 1
	// or 2. Default Socket.
	// +optional
	From ClientAddressSource `json:"from,omitempty"`

	// TrustedProxies are the addresses of the proxies, for example 10.0.0.0/24. What other clients say is not believed.
	// With ProxyProtocol, connections from these addresses must begin with the header.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	TrustedProxies []ProxyRange `json:"trustedProxies,omitempty"`
}

// ProxyRange is a range of IP addresses, such as 10.0.0.0/24.
// +kubebuilder:validation:MaxLength=49
// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="tracker.clientAddress.trustedProxies must hold ranges of IP addresses, such as 10.0.0.0/24"
type ProxyRange string

package v1

// SiteStatus holds the figures of one site over the window of status.offload. Only media bytes are counted. A figure that
// is not known is absent.
type SiteStatus struct {
	// Name of the site in spec.sites, or other.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name"`
	// Viewers at the site.
	// +optional
	Viewers int32 `json:"viewers"`
	// Reporting is the number of viewers that these figures are based on.
	// +optional
	Reporting int32 `json:"reporting"`
	// Copies is how many times what was played at the site came over its line, for example 1.04. It is at least 1
	// while there is no seeder inside; 2 means that the line carries twice what it needs to.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	Copies string `json:"copies,omitempty"`
	// LineBitsPerSecond is the rate at which media came over the line.
	// +optional
	LineBitsPerSecond int64 `json:"lineBitsPerSecond"`
	// AchievedPercent is the share of what viewers received that came from inside the site.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	AchievedPercent *int32 `json:"achievedPercent,omitempty"`
	// AchievablePercent is that share if everything comes over the line once: 1 - 1/n for n viewers of a rendition.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	AchievablePercent *int32 `json:"achievablePercent,omitempty"`
	// OffloadPercent is the share of what viewers received that did not come from the origin.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	OffloadPercent *int32 `json:"offloadPercent,omitempty"`
}

// WorstSiteStatus names the site whose line carries most copies.
type WorstSiteStatus struct {
	// Name of the site.
	// +required
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name"`
	// Copies at that site.
	// +required
	// +kubebuilder:validation:MaxLength=16
	Copies string `json:"copies"`
}

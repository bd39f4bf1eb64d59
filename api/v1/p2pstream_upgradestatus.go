package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// UpgradePhase says how far an upgrade of a stream's pods is.
// +kubebuilder:validation:Enum=Waiting;Running
type UpgradePhase string

// The phases of an upgrade.
const (
	// UpgradeWaiting: the pods still run what a former version of the operator made.
	UpgradeWaiting UpgradePhase = "Waiting"
	// UpgradeRunning: the pods are being replaced.
	UpgradeRunning UpgradePhase = "Running"
)

// UpgradeStatus is about pods that a new version of the operator, or other settings of it, replaces.
type UpgradeStatus struct {
	// Phase of the upgrade.
	// +required
	Phase UpgradePhase `json:"phase"`
	// Since is when the phase began.
	// +required
	Since metav1.Time `json:"since"`
	// Pods identifies the pods that the upgrade is to make, while it waits: other ones mean that the spec has changed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Pods string `json:"pods,omitempty"`
}

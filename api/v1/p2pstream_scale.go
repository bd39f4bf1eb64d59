package v1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Defaults of a scale.
const (
	DefaultMaxSeeders int32 = 4
	DefaultIdleAfter        = 5 * time.Minute
)

// SeederScale says how many seeders an audience gets.
// +kubebuilder:validation:XValidation:rule="!has(self.min) || !has(self.max) || self.min <= self.max",message="seeders.scale.min must not be above seeders.scale.max"
type SeederScale struct {
	// Min is the number of seeders that run without an audience. Default 0 for a film, 1 for a live stream and while it is not
	// known which of them the stream is.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 64",message="seeders.scale.min must be between 0 and 64"
	Min *int32 `json:"min,omitempty"`

	// Max is the highest number of seeders. Default 4, or min if that is higher.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 64",message="seeders.scale.max must be between 1 and 64"
	Max *int32 `json:"max,omitempty"`

	// ViewersPerSeeder is for how many viewers there is one seeder. Default: maxPeers.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 100000",message="seeders.scale.viewersPerSeeder must be between 1 and 100000"
	ViewersPerSeeder *int32 `json:"viewersPerSeeder,omitempty"`

	// IdleAfter is for how long fewer seeders must have been enough before some are removed, and for how long there must have
	// been no viewers before the last ones are. Default 5m.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="seeders.scale.idleAfter must be between 10s and 24h"
	IdleAfter *metav1.Duration `json:"idleAfter,omitempty"`
}

// withDefaults returns a copy with defaults. Min has none as long as the kind of the stream is not known.
func (s *SeederScale) withDefaults(maxPeers int32) *SeederScale {
	if s == nil {
		return nil
	}
	d := *s
	most := DefaultMaxSeeders
	if d.Min != nil {
		most = max(most, *d.Min)
	}
	d.Max = orValue(d.Max, most)
	d.ViewersPerSeeder = orValue(d.ViewersPerSeeder, maxPeers)
	d.IdleAfter = orValue(d.IdleAfter, metav1.Duration{Duration: DefaultIdleAfter})
	return &d
}

func (s *SeederScale) validate(at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	errs := between(at.Child("min"), s.Min, 0, 64, "seeders.scale.min must be between 0 and 64")
	errs = append(errs, between(at.Child("max"), s.Max, 1, 64, "seeders.scale.max must be between 1 and 64")...)
	errs = append(errs, between(at.Child("viewersPerSeeder"), s.ViewersPerSeeder, 1, 100000, "seeders.scale.viewersPerSeeder must be between 1 and 100000")...)
	if s.Min != nil && s.Max != nil && *s.Min > *s.Max {
		errs = append(errs, field.Invalid(at, *s.Min, "seeders.scale.min must not be above seeders.scale.max"))
	}
	if s.IdleAfter != nil {
		if d := s.IdleAfter.Duration; d < 10*time.Second || d > 24*time.Hour {
			errs = append(errs, field.Invalid(at.Child("idleAfter"), d.String(), "seeders.scale.idleAfter must be between 10s and 24h"))
		}
	}
	return errs
}

// SeederScaleReason is why there are as many seeders as there are.
// +kubebuilder:validation:Enum=Audience;Minimum;Maximum;Idle;AudienceUnknown;Suspended
type SeederScaleReason string

// Reasons of a scale.
const (
	// ScaleAudience: the audience needs them, or did within idleAfter.
	ScaleAudience SeederScaleReason = "Audience"
	// ScaleMinimum: they run without an audience too.
	ScaleMinimum SeederScaleReason = "Minimum"
	// ScaleMaximum: there may not be more.
	ScaleMaximum SeederScaleReason = "Maximum"
	// ScaleIdle: there are no viewers, so none run.
	ScaleIdle SeederScaleReason = "Idle"
	// ScaleAudienceUnknown: the tracker does not say who watches, so none are removed.
	ScaleAudienceUnknown SeederScaleReason = "AudienceUnknown"
	// ScaleSuspended: spec.suspend is true, so nothing is changed.
	ScaleSuspended SeederScaleReason = "Suspended"
)

// SeederScaleStatus is what spec.seeders.scale has come to.
type SeederScaleStatus struct {
	// Wanted is the number of seeders that are to run.
	// +optional
	Wanted int32 `json:"wanted"`
	// Reason is why: Audience, Minimum, Maximum, Idle, AudienceUnknown or Suspended.
	// +optional
	Reason SeederScaleReason `json:"reason,omitempty"`
	// Message says the same for people.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

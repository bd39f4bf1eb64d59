package v1

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Resources of a container. When they are given, they replace all defaults.
//
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || quantity(string(self.requests[k])).compareTo(quantity(string(self.limits[k]))) <= 0)",message="resources.requests must not be above resources.limits"
type Resources struct {
	// Requests are reserved for the container. A request that is left out equals the limit.
	// +optional
	Requests ResourceList `json:"requests,omitempty"`

	// Limits are the most that the container may use. The programs keep their heap below 90 % of the memory
	// limit.
	// +optional
	Limits ResourceList `json:"limits,omitempty"`
}

// ResourceList holds amounts of cpu, memory and ephemeral-storage.
// +kubebuilder:validation:MaxProperties=3
// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'])",message="resources must be of cpu, memory and ephemeral-storage"
// +kubebuilder:validation:XValidation:rule="self.all(k, quantity(string(self[k])).isGreaterThan(quantity('0')))",message="resources must be above zero, such as cpu: 250m and memory: 256Mi"
type ResourceList map[corev1.ResourceName]resource.Quantity

func (r *Resources) validate(at *field.Path) field.ErrorList {
	if r == nil {
		return nil
	}
	errs := append(r.Requests.validate(at.Child("requests")), r.Limits.validate(at.Child("limits"))...)
	for name, request := range r.Requests {
		if limit, ok := r.Limits[name]; ok && request.Cmp(limit) > 0 {
			return append(errs, field.Invalid(at, request.String(), "resources.requests must not be above resources.limits"))
		}
	}
	return errs
}

func (l ResourceList) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for name, amount := range l {
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		default:
			errs = append(errs, field.Invalid(at, string(name), "resources must be of cpu, memory and ephemeral-storage"))
		}
		if amount.Sign() <= 0 {
			errs = append(errs, field.Invalid(at.Key(string(name)), amount.String(), "resources must be above zero, such as cpu: 250m and memory: 256Mi"))
		}
	}
	slices.SortFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })
	return errs
}

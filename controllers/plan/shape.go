package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// shape is what the spec and the installation want of all pods.
type shape struct {
	v1.PodsSpec
	affinity *corev1ac.AffinityApplyConfiguration
	env      []*corev1ac.EnvVarApplyConfiguration
	spreads  []*corev1ac.TopologySpreadConstraintApplyConfiguration
}

// shapeOf is the shape of pods: each layer on top of those before it. The first is that of the installation; a stream comes on top of its
// network.
func shapeOf(layers ...*v1.PodsSpec) (s shape, err error) {
	s.PodsSpec = layered(layers...)
	affinity, err := s.PodAffinity()
	if err != nil {
		return s, fmt.Errorf("reading spec.pods.affinity: %w", err)
	}
	if s.affinity, err = convert[*corev1ac.AffinityApplyConfiguration](affinity); err != nil {
		return s, err
	}
	if s.env, err = convert[[]*corev1ac.EnvVarApplyConfiguration](s.Env); err != nil {
		return s, err
	}
	s.spreads, err = convert[[]*corev1ac.TopologySpreadConstraintApplyConfiguration](s.TopologySpreadConstraints)
	return s, err
}

func layered(layers ...*v1.PodsSpec) v1.PodsSpec {
	shape := v1.PodsSpec{NodeSelector: map[string]string{corev1.LabelOSStable: string(corev1.Linux)}}
	for _, layer := range layers {
		if layer == nil {
			continue
		}
		shape.Labels = overlay(shape.Labels, layer.Labels)
		shape.Annotations = overlay(shape.Annotations, layer.Annotations)
		shape.NodeSelector = overlay(shape.NodeSelector, layer.NodeSelector)
		for _, e := range layer.Env {
			shape.Env = slices.DeleteFunc(shape.Env, func(o v1.EnvVar) bool { return o.Name == e.Name })
			shape.Env = append(shape.Env, e)
		}
		if layer.Tolerations != nil {
			shape.Tolerations = layer.Tolerations
		}
		if layer.Affinity != nil {
			shape.Affinity = layer.Affinity
		}
		if layer.TopologySpreadConstraints != nil {
			shape.TopologySpreadConstraints = layer.TopologySpreadConstraints
		}
		if layer.ImagePullSecrets != nil {
			shape.ImagePullSecrets = layer.ImagePullSecrets
		}
		if layer.PriorityClassName != "" {
			shape.PriorityClassName = layer.PriorityClassName
		}
		if layer.ServiceAccountName != "" {
			shape.ServiceAccountName = layer.ServiceAccountName
		}
	}
	return shape
}

// overlay returns the values of both, those of above where both have a key.
func overlay(below, above map[string]string) map[string]string {
	if len(below)+len(above) == 0 {
		return nil
	}
	all := maps.Clone(below)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, above)
	return all
}

// apply gives a pod the shape.
func (s *shape) apply(spec *corev1ac.PodSpecApplyConfiguration, container *corev1ac.ContainerApplyConfiguration) {
	spec.WithNodeSelector(s.NodeSelector).WithTolerations(tolerations(s.Tolerations)...)
	container.WithEnv(s.env...)
	if s.affinity != nil {
		spec.WithAffinity(s.affinity)
	}
	if s.PriorityClassName != "" {
		spec.WithPriorityClassName(s.PriorityClassName)
	}
	if s.ServiceAccountName != "" {
		spec.WithServiceAccountName(s.ServiceAccountName)
	}
	for _, ref := range s.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(string(ref.Name)))
	}
}

// spread returns the topology spread constraints of the pods that a selector selects: those of the spec, or else a preference for
// different places.
func (s *shape) spread(selector map[string]string, keys ...string) []*corev1ac.TopologySpreadConstraintApplyConfiguration {
	var all []*corev1ac.TopologySpreadConstraintApplyConfiguration
	if len(s.spreads) == 0 {
		for _, key := range keys {
			all = append(all, spreadOf(selector, key))
		}
	}
	for _, given := range s.spreads {
		own := *given
		if own.LabelSelector == nil {
			own.WithLabelSelector(labelSelector(selector))
		}
		all = append(all, &own)
	}
	return all
}

// convert turns a part of the spec into the configuration of the same form.
func convert[T any](in any) (out T, err error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("encoding spec.pods: %w", err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("decoding spec.pods: %w", err)
	}
	return out, nil
}

package plan

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// Held is a workload as it was applied last, and the data of its ConfigMap.
type Held struct {
	// Applied is the apply configuration, in JSON.
	Applied []byte
	// Config is the data of the ConfigMap of the workload's name; nil when there is none.
	Config map[string]string
}

// Hold returns a plan that replaces no pod of the held workloads: their pods, which an earlier version of the operator planned,
// and the programs' configurations, which their pods read when they start, stay as they are. The number of pods, and the files
// that programs read again while they run, follow the plan.
func (p Plan) Hold(held map[string]Held) (Plan, error) {
	objects := make([]Object, len(p.Objects))
	for i, o := range p.Objects {
		old, is := held[o.Name]
		if !is {
			objects[i] = o
			continue
		}
		kept, err := o.kept(old)
		if err != nil {
			return Plan{}, fmt.Errorf("keeping %s %s: %w", o.Kind, o.Name, err)
		}
		objects[i] = kept
	}
	p.Objects = objects
	return p, nil
}

func (o Object) kept(old Held) (Object, error) {
	var apply runtime.ApplyConfiguration
	switch planned := o.Apply.(type) {
	case *corev1ac.ConfigMapApplyConfiguration:
		apply = keptConfig(planned, old.Config)
	case *appsv1ac.DeploymentApplyConfiguration:
		kept := &appsv1ac.DeploymentApplyConfiguration{}
		if err := json.Unmarshal(old.Applied, kept); err != nil {
			return o, fmt.Errorf("decoding: %w", err)
		}
		if kept.Spec != nil {
			kept.Spec.Replicas = planned.Spec.Replicas
		}
		apply = kept
	case *appsv1ac.StatefulSetApplyConfiguration:
		kept := &appsv1ac.StatefulSetApplyConfiguration{}
		if err := json.Unmarshal(old.Applied, kept); err != nil {
			return o, fmt.Errorf("decoding: %w", err)
		}
		if kept.Spec != nil {
			kept.Spec.Replicas = planned.Spec.Replicas
		}
		apply = kept
	default:
		return o, nil // no pod is replaced for it
	}
	raw, err := json.Marshal(apply)
	if err != nil {
		return o, fmt.Errorf("encoding: %w", err)
	}
	o.Apply, o.Hash = apply, hash(raw)
	return o, nil
}

// keptConfig is the planned ConfigMap with the programs' configurations of before, and with the files that the plan has no more.
func keptConfig(planned *corev1ac.ConfigMapApplyConfiguration, before map[string]string) *corev1ac.ConfigMapApplyConfiguration {
	kept := *planned
	kept.Data = overlay(before, planned.Data)
	for _, program := range []string{fileTracker, fileSTUN, fileSeeder} {
		if config, has := before[program]; has {
			kept.Data[program] = config
		}
	}
	return &kept
}

// mark writes onto a workload which installation planned it, and what its pods are: an installation that finds the mark of another
// can tell whether it would replace them. It returns the hash of the pods' template; empty for objects without pods.
func (p *planner) mark(object any) (string, error) {
	var template any
	var annotate func(map[string]string)
	switch o := object.(type) {
	case *appsv1ac.DeploymentApplyConfiguration:
		template, annotate = o.Spec.Template, func(a map[string]string) { o.WithAnnotations(a) }
	case *appsv1ac.StatefulSetApplyConfiguration:
		template, annotate = o.Spec.Template, func(a map[string]string) { o.WithAnnotations(a) }
	default:
		return "", nil
	}
	raw, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("encoding the template of pods: %w", err)
	}
	of := hash(raw)
	if p.facts.Installation != "" {
		annotate(map[string]string{AnnotationInstallation: p.facts.Installation, AnnotationTemplate: of})
	}
	return of, nil
}

package plan

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
)

// budget lets drains of nodes evict the pods of a component one after the other, so that the others serve its viewers meanwhile.
//
// One pod gets none: a budget that protects it would block a drain for ever, and one that does not is of no use. With a number
// of pods that may be away, and not one of those that must stay, a drain goes on whatever the number of replicas is; and pods
// that are not ready, which serve no viewer, may always be evicted.
func (p *planner) budget(name string, replicas int32, labels, selector map[string]string) {
	if replicas < 2 {
		return
	}
	p.guards = append(p.guards, child{Object: policyv1ac.PodDisruptionBudget(name, p.stream.Namespace).
		WithLabels(labels).
		WithOwnerReferences(p.owner()).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(labelSelector(selector)))})
}

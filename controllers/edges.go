package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
)

// edgeWorkload sums up the StatefulSets of all sites. Pods of one site do not stand in for those that another one lacks.
func (s *snapshot) edgeWorkload(stream *v1.P2PStream) status.Workload {
	wanted := map[string]int32{}
	w := status.Workload{Current: true}
	found := 0
	for _, set := range plan.Edges(stream) {
		wanted[set.Name] = set.Replicas
		w.Wanted += set.Replicas
	}
	for ref, child := range s.children {
		set, ok := child.(*appsv1.StatefulSet)
		if !ok || set.Labels[plan.LabelComponent] != plan.ComponentEdge {
			continue
		}
		w.Pods += set.Status.Replicas
		most, asked := wanted[ref.Name]
		if !asked {
			continue // it is removed
		}
		found++
		w.Ready += min(set.Status.ReadyReplicas, most)
		w.Updated += min(set.Status.UpdatedReplicas, most)
		if set.DeletionTimestamp != nil || set.Status.ObservedGeneration < set.Generation {
			w.Current = false
		}
	}
	w.Exists = found == len(wanted) && found > 0 || len(wanted) == 0 && w.Pods > 0
	return w
}

// edgeDiagnosis is what package diagnose is asked about the seeders of sites: the owner of the pods is the first StatefulSet
// that lacks some.
func (s *snapshot) edgeDiagnosis(stream *v1.P2PStream) diagnose.Input {
	in := diagnose.Input{Component: plan.ComponentEdge, Pods: s.pods[plan.ComponentEdge], Secrets: secrets(stream)}
	for _, edge := range plan.Edges(stream) {
		set, ok := s.children[plan.Ref{Kind: "StatefulSet", Name: edge.Name}].(*appsv1.StatefulSet)
		if !ok {
			continue
		}
		asked := edge.Replicas
		if set.Spec.Replicas != nil {
			asked = min(asked, *set.Spec.Replicas)
		}
		in.Wanted += asked
		if in.Owner.UID == "" && set.Status.Replicas < asked {
			in.Owner = diagnose.Object{Kind: "StatefulSet", Name: set.Name, UID: set.UID}
		}
	}
	return in
}

// edgePods is one more than the highest ordinal of the pods of each site.
func edgePods(pods []corev1.Pod) map[string]int32 {
	byCode := map[string][]corev1.Pod{}
	for _, pod := range pods {
		if code := pod.Labels[plan.LabelEdge]; code != "" {
			byCode[code] = append(byCode[code], pod)
		}
	}
	if len(byCode) == 0 {
		return nil
	}
	all := make(map[string]int32, len(byCode))
	for code, own := range byCode {
		all[code] = seederPods(own)
	}
	return all
}

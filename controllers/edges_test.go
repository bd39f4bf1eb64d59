package controllers

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
)

// TestEdgeWorkload sums up the seeders of two sites.
func TestEdgeWorkload(t *testing.T) {
	t.Parallel()
	two, one := int32(2), int32(1)
	stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: v1.P2PStreamSpec{Sites: &v1.SitesSpec{List: []v1.SiteSpec{
		{Name: "Bern", Seeders: &v1.SiteSeedersSpec{Replicas: &two}}, {Name: "Rome", Seeders: &v1.SiteSeedersSpec{Replicas: &one}},
		{Name: "Oslo"},
	}}}}
	edges := plan.Edges(stream)
	set := func(name string, pods, ready int32) *appsv1.StatefulSet {
		return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 1, Labels: map[string]string{plan.LabelComponent: plan.ComponentEdge}},
			Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: pods, ReadyReplicas: ready, UpdatedReplicas: pods}}
	}
	for name, tt := range map[string]struct {
		sets []*appsv1.StatefulSet
		want status.Workload
	}{
		"none yet": {nil, status.Workload{Wanted: 3, Current: true}},
		"one site": {[]*appsv1.StatefulSet{set(edges[0].Name, 2, 2)}, status.Workload{Wanted: 3, Pods: 2, Ready: 2, Updated: 2, Current: true}},
		"all": {[]*appsv1.StatefulSet{set(edges[0].Name, 2, 2), set(edges[1].Name, 1, 1)},
			status.Workload{Wanted: 3, Exists: true, Pods: 3, Ready: 3, Updated: 3, Current: true}},
		"one has more than it should": {[]*appsv1.StatefulSet{set(edges[0].Name, 1, 1), set(edges[1].Name, 2, 2)},
			status.Workload{Wanted: 3, Exists: true, Pods: 3, Ready: 2, Updated: 2, Current: true}},
		"one of a site that is gone": {[]*appsv1.StatefulSet{set(edges[0].Name, 2, 2), set(edges[1].Name, 1, 1), set("a-exxxxx", 1, 1)},
			status.Workload{Wanted: 3, Exists: true, Pods: 4, Ready: 3, Updated: 3, Current: true}},
	} {
		s := &snapshot{children: map[plan.Ref]client.Object{}}
		for _, child := range tt.sets {
			s.children[plan.Ref{Kind: "StatefulSet", Name: child.Name}] = child
		}
		got := s.workload(stream, plan.ComponentEdge)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
		if complete := name == "all"; got.Complete() != complete {
			t.Errorf("%s: complete %v", name, got.Complete())
		}
	}
	if got := (&snapshot{}).workload(&v1.P2PStream{}, plan.ComponentEdge); !got.Complete() {
		t.Errorf("without sites: %+v", got)
	}
}

package plan

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

func siteWithSeeders(name string, replicas int32) v1.SiteSpec {
	return v1.SiteSpec{Name: v1.SiteName(name), CIDRs: []v1.SiteRange{"10.0.0.0/8"},
		Seeders: &v1.SiteSeedersSpec{Replicas: &replicas, NodeSelector: map[string]string{"zone": "a"}}}
}

// TestSeedersOfManySites: their names are valid for the longest name of a stream, unique, and do not depend on other sites.
func TestSeedersOfManySites(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "site-seeders")
	stream.Name = strings.Repeat("n", v1.MaxNameLength)
	stream.Spec.Sites.List = nil
	for i := range 256 {
		stream.Spec.Sites.List = append(stream.Spec.Sites.List, siteWithSeeders(fmt.Sprintf("Büro %d $(X)", i), 1+int32(i%8)))
	}
	all := Edges(stream)
	if len(all) != 256 || EdgeReplicas(stream) != 256*9/2 {
		t.Fatalf("%d sets with %d seeders", len(all), EdgeReplicas(stream))
	}
	facts.EdgePods = nil
	p, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Ref]bool{}
	for _, o := range p.Objects {
		if seen[o.Ref] {
			t.Errorf("%v: twice", o.Ref)
		}
		seen[o.Ref] = true
		names := []string{o.Name}
		if o.Kind == "StatefulSet" {
			names = append(names, o.Name+"-0123456789")
		}
		for _, name := range names {
			for _, problem := range validation.IsDNS1035Label(name) {
				t.Errorf("%s: %s", name, problem)
			}
		}
		for k, v := range object(t, o).GetLabels() {
			for _, problem := range validation.IsValidLabelValue(v) {
				t.Errorf("%s: label %s: %s", o.Name, k, problem)
			}
		}
	}
	stream.Spec.Sites.List = stream.Spec.Sites.List[100:101]
	if alone := Edges(stream); alone[0].Name != all[100].Name {
		t.Errorf("%s is named %s without the others", all[100].Name, alone[0].Name)
	}
}

// TestSeedersOfASiteAreSelectedApart: no two StatefulSets select the same pods.
func TestSeedersOfASiteAreSelectedApart(t *testing.T) {
	t.Parallel()
	var sets []*appsv1.StatefulSet
	for _, o := range makePlan(t, "site-seeders").Objects {
		if set, ok := object(t, o).(*appsv1.StatefulSet); ok {
			sets = append(sets, set)
		}
	}
	if len(sets) != 3 {
		t.Fatalf("%d StatefulSets", len(sets))
	}
	for _, a := range sets {
		for _, b := range sets {
			if a != b && matches(a.Spec.Selector.MatchLabels, b.Spec.Template.Labels) {
				t.Errorf("%s selects the pods of %s", a.Name, b.Name)
			}
		}
	}
}

func matches(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// TestSeedersOfASiteThatGo: without pods nothing of them is planned; with one that drains, its Service is.
func TestSeedersOfASiteThatGo(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "site-seeders")
	zurich := Edges(stream)[1]
	stream.Spec.Sites.List = stream.Spec.Sites.List[:1]
	for pods, want := range map[int32]int{0: 0, 1: 1} {
		facts.EdgePods = map[string]int32{zurich.Code: pods, "not a code": 7}
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, o := range p.Objects {
			if !strings.HasPrefix(o.Name, zurich.Name) {
				continue
			}
			left++
			if service, ok := object(t, o).(*corev1.Service); !ok || service.Spec.Selector[appsv1.StatefulSetPodNameLabel] != zurich.Name+"-0" {
				t.Errorf("%s %s is left", o.Kind, o.Name)
			}
		}
		if left != want {
			t.Errorf("with %d pods, %d objects are left", pods, left)
		}
	}
}

// TestSeedersOfASiteWaitForTheirPorts as all others do.
func TestSeedersOfASiteWaitForTheirPorts(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "site-seeders")
	berlin := Edges(stream)[0]
	facts.EdgePods, facts.Observed = nil, exposure.Observed{berlin.Name + "-0": {NodePort: 30101}}
	p, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range p.Objects {
		if set, ok := object(t, o).(*appsv1.StatefulSet); ok && o.Name == berlin.Name && *set.Spec.Replicas != 1 {
			t.Errorf("%d pods are asked for with one port of two", *set.Spec.Replicas)
		}
	}
}

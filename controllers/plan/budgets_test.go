package plan

import (
	"slices"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// budgetsOf are the budgets of a plan, by name.
func budgetsOf(t *testing.T, p Plan) map[string]*policyv1.PodDisruptionBudget {
	t.Helper()
	found := map[string]*policyv1.PodDisruptionBudget{}
	for _, o := range p.Objects {
		if budget, is := object(t, o).(*policyv1.PodDisruptionBudget); is {
			found[o.Name] = budget
		}
	}
	return found
}

func TestSeveralPodsAreEvictedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "site-seeders")
	one, three := int32(1), int32(3)
	for name, tt := range map[string]struct {
		stun, seeders, edges *int32
		want                 []string
	}{
		"one of each":   {&one, &one, &one, nil},
		"STUN servers":  {&three, &one, &one, []string{STUNName(stream.Name)}},
		"seeders":       {&one, &three, &one, []string{SeederName(stream.Name)}},
		"those at site": {&one, &one, &three, []string{Edges(stream)[0].Name}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := stream.DeepCopy()
			stream.Spec.STUN, stream.Spec.Seeders.Replicas = &v1.STUNSpec{Replicas: tt.stun}, tt.seeders
			stream.Spec.Sites.List[0].Seeders.Replicas = tt.edges
			p, err := Make(stream, facts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for name := range budgetsOf(t, p) {
				got = append(got, name)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("budgets of %v, want %v", got, tt.want)
			}
		})
	}
}

// TestBudgetsBlockNoDrain: a pod that may never be evicted keeps its node from being drained until an administrator finds the cause.
func TestBudgetsBlockNoDrain(t *testing.T) {
	forEachCase(t, func(t *testing.T, _ string, p Plan) {
		for name, budget := range budgetsOf(t, p) {
			if most := budget.Spec.MaxUnavailable; budget.Spec.MinAvailable != nil || most == nil || most.IntValue() < 1 {
				t.Errorf("%s: %+v", name, budget.Spec)
			}
			if policy := budget.Spec.UnhealthyPodEvictionPolicy; policy == nil || *policy != policyv1.AlwaysAllow {
				t.Errorf("%s: pods that do not become ready block a drain", name)
			}
			selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range p.Objects { // two budgets for one pod make every eviction fail
				template := podTemplateOf(object(t, o))
				if template != nil && selector.Matches(labels.Set(template.Labels)) != (o.Name == name) {
					t.Errorf("the budget %s selects pods of %s: %t", name, o.Name, o.Name != name)
				}
			}
		}
	})
}

package controllers_test

import (
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// TestBudgetsFollowReplicas: a budget comes with the second seeder, is made again when it is deleted, and goes before the
// last but one seeder does, since a single pod must not be protected.
func TestBudgetsFollowReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	seeders := func(n int32) func(*v1.P2PStreamSpec) {
		return func(s *v1.P2PStreamSpec) { s.Seeders = &v1.SeedersSpec{Replicas: &n} }
	}
	budget := &policyv1.PodDisruptionBudget{}
	key := client.ObjectKey{Namespace: w.ns, Name: "live-seeder"}
	there := func() bool { return w.Get(t.Context(), key, budget) == nil }

	w.stream("live", seeders(2))
	w.until("live", "Current", current)
	w.asPlanned("live")
	if !there() {
		t.Fatal("two seeders have no budget")
	}
	first := budget.UID
	if err := w.Delete(t.Context(), budget); err != nil {
		t.Fatal(err)
	}
	if !w.eventually(func() bool { return there() && budget.UID != first }) {
		t.Fatal("a budget that was deleted is not made again")
	}
	w.edit("live", seeders(1))
	if !w.eventually(func() bool { return !there() }) {
		t.Fatal("the budget of a single seeder stays")
	}
	w.until("live", "Current", current)
	w.asPlanned("live")
}

package controllers_test

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// TestNetworkPoliciesComeAndGo: an installation that asks for them gets one for each component, makes them again when they are
// deleted, and removes them when it asks for them no more.
func TestNetworkPoliciesComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := func() (found []string) {
		var list networkingv1.NetworkPolicyList
		if err := w.List(t.Context(), &list, client.InNamespace(w.ns)); err != nil {
			t.Fatal(err)
		}
		for _, policy := range list.Items {
			found = append(found, policy.Name)
		}
		return found
	}
	stop := w.operator(func(o *controllers.Options) {
		o.NetworkPolicies = &plan.NetworkPolicies{Origins: []string{"203.0.113.0/24"}}
	})
	w.stream("live")
	w.until("live", "Current", current)
	if got := names(); len(got) != 3 {
		t.Fatalf("policies %q, want those of tracker, STUN and seeders", got)
	}
	if err := w.DeleteAllOf(t.Context(), &networkingv1.NetworkPolicy{}, client.InNamespace(w.ns)); err != nil {
		t.Fatal(err)
	}
	if !w.eventually(func() bool { return len(names()) == 3 }) {
		t.Fatalf("policies that were deleted are not made again: %q", names())
	}
	stop()
	w.operator()
	if !w.eventually(func() bool { return len(names()) == 0 }) {
		t.Fatalf("policies stay: %q", names())
	}
	w.until("live", "Current", current)
	w.asPlanned("live")
}

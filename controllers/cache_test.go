package controllers

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	"github.com/p2pstream/p2pstream/controllers/plan"
)

// TestEveryKindOfAPlanIsWatched: children of a kind that is not in the cache are never pruned, and never repaired.
func TestEveryKindOfAPlanIsWatched(t *testing.T) {
	t.Parallel()
	watched := map[string]bool{}
	for _, o := range childKinds() {
		kind, err := apiutil.GVKForObject(o, clientgoscheme.Scheme)
		if err != nil {
			t.Fatal(err)
		}
		watched[kind.String()] = true
	}
	for _, kind := range plan.Kinds() {
		if !watched[kind.String()] {
			t.Errorf("%s is planned and not watched", kind)
		}
	}
	if len(watched) != len(plan.Kinds()) {
		t.Errorf("watches %d kinds of children, plans have %d", len(watched), len(plan.Kinds()))
	}
}

package controllers

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// TestEveryKindOfAPlanIsWatched: children of a kind that is not in the cache are never pruned, and never repaired.
func TestEveryKindOfAPlanIsWatched(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), gatewayv1.Install(scheme), certmanager.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	watched := map[string]bool{}
	for _, o := range childKinds(exposure.Kinds{HTTPRoute: true, TLSRoute: true, Certificate: true}) {
		kind, err := apiutil.GVKForObject(o, scheme)
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

package manager

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// roles answers what a user may do: "verb resource namespace", with * for any.
type roles struct {
	client.Client
	allows []string
	err    error
}

func (r roles) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	question := o.(*authorizationv1.SelfSubjectAccessReview)
	a := question.Spec.ResourceAttributes
	for _, allowed := range r.allows {
		words := strings.Fields(allowed)
		match := func(pattern, word string) bool { return pattern == "*" || pattern == word }
		if match(words[0], a.Verb) && match(words[1], a.Resource) && match(words[2], a.Namespace) {
			question.Status.Allowed = true
		}
	}
	return r.err
}

func TestReview(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		api        roles
		namespaces []string
		want       string
		routes     bool
	}{
		"everything":               {roles{allows: []string{"* * *"}}, nil, "namespaces [], refused map[], nodes true", true},
		"nothing":                  {roles{}, nil, "namespaces -, refused map[:list p2pstreams.p2pstream.dev], nodes false", false},
		"one of two namespaces":    {roles{allows: []string{"* * media"}}, []string{"media", "events"}, "namespaces [media], refused map[events:list p2pstreams.p2pstream.dev], nodes false", true},
		"nodes too":                {roles{allows: []string{"* * media", "* nodes *"}}, []string{"media"}, "namespaces [media], refused map[], nodes true", true},
		"an older role":            {roles{allows: append(olderRole(), "* nodes *")}, []string{"media"}, "namespaces [media], refused map[], nodes true", false},
		"one verb is missing":      {roles{allows: []string{"list * media", "watch p2pstreams media", "watch p2pnetworks media"}}, []string{"media"}, "namespaces -, refused map[media:watch configmaps], nodes false", false},
		"questions are forbidden":  {roles{err: apierrors.NewForbidden(schema.GroupResource{}, "", nil)}, []string{"media"}, "namespaces [media], refused map[], nodes true", true},
		"the API server is silent": {roles{err: fmt.Errorf("connection refused")}, []string{"media"}, "asking what the operator may watch: connection refused", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := review(t.Context(), tt.api, tt.namespaces, exposure.Kinds{HTTPRoute: true})
			got := fmt.Sprintf("namespaces %v, refused %v, nodes %t", a.namespaces, a.refused, a.nodes)
			if a.kinds.TLSRoute || a.kinds.HTTPRoute != tt.routes {
				t.Errorf("kinds %+v", a.kinds)
			}
			if len(a.namespaces) == 0 {
				got = strings.Replace(got, "[]", "-", 1)
			}
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// olderRole allows what every operator watches, and no routes.
func olderRole() []string {
	var allows []string
	for _, a := range watched {
		allows = append(allows, "* "+a.Resource+" *")
	}
	return allows
}

// TestReviewAsksForEveryChild: the operator waits for a cache of each kind, and one that it may not list never fills.
func TestReviewAsksForEveryChild(t *testing.T) {
	t.Parallel()
	for _, kind := range plan.Kinds() {
		plural, _ := meta.UnsafeGuessKindToResource(kind)
		if kind.Group == gatewayv1.GroupName || kind.Group == certmanager.Group {
			continue // what may be missing is asked for by itself
		}
		if !slices.ContainsFunc(watched, func(a authorizationv1.ResourceAttributes) bool {
			return a.Group == plural.Group && a.Resource == plural.Resource
		}) {
			t.Errorf("it does not ask for %s", plural.GroupResource())
		}
	}
}

func TestGains(t *testing.T) {
	t.Parallel()
	few, more := access{namespaces: []string{"a"}}, access{namespaces: []string{"a", "b"}}
	nodes := access{namespaces: []string{"a"}, nodes: true}
	if !few.gains(more) || !few.gains(nodes) || few.gains(few) || more.gains(few) || nodes.gains(few) {
		t.Error("it does not tell more from less")
	}
	routes := access{namespaces: []string{"a"}, kinds: exposure.Kinds{HTTPRoute: true}}
	if !few.gains(routes) || !routes.gains(few) || routes.gains(routes) {
		t.Error("it does not notice that kinds come and go")
	}
	if more.complete() || !nodes.complete() || slices.Contains(more.namespaces, "") {
		t.Error("it does not tell what is complete")
	}
}

// TestNotReadyAtFirst: probes that answer before the caches are filled make a rollout go on with an operator that does nothing.
func TestNotReadyAtFirst(t *testing.T) {
	t.Parallel()
	c := &caches{}
	if err := c.check(nil); err == nil {
		t.Error("ready without a namespace")
	}
	c.kinds = []client.Object{nil}
	if err := c.check(nil); err == nil {
		t.Error("ready without caches")
	}
	c.full.Store(true)
	if err := c.check(nil); err != nil {
		t.Error(err)
	}
}

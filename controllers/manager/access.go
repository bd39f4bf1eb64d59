package manager

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// access is what the cluster's roles let this operator watch.
type access struct {
	// namespaces that can be watched; "" is all of them.
	namespaces []string
	// refused are the others, with what they lack.
	refused map[string]string
	// nodes: those of the cluster can be watched. Without them, the addresses of nodes are not known.
	nodes bool
	// kinds that a cluster may lack, and that this one has and the operator may watch.
	kinds exposure.Kinds
}

// complete tells whether no permission is missing.
func (a access) complete() bool { return len(a.refused) == 0 && a.nodes }

// gains tells whether other gives more than a does, or other kinds: a cache of those that are gone would fail for ever.
func (a access) gains(other access) bool {
	return a.kinds != other.kinds || len(other.namespaces) > len(a.namespaces) || (other.nodes && !a.nodes)
}

// watched are the resources of a namespace that the operator has to watch.
var watched = []authorizationv1.ResourceAttributes{
	{Group: v1.GroupVersion.Group, Resource: "p2pstreams"}, {Group: v1.GroupVersion.Group, Resource: "p2pnetworks"},
	{Resource: "configmaps"}, {Resource: "services"}, {Resource: "pods"},
	{Group: "networking.k8s.io", Resource: "ingresses"}, {Group: "networking.k8s.io", Resource: "networkpolicies"}, {Group: "policy", Resource: "poddisruptionbudgets"},
	{Group: "apps", Resource: "deployments"}, {Group: "apps", Resource: "statefulsets"},
}

// review asks the API server what this operator may watch. A cache of what it may not list would never fill, and the whole operator
// would wait for it. Kinds are those that the cluster has.
func review(ctx context.Context, api client.Client, namespaces []string, kinds exposure.Kinds) (access, error) {
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	a := access{refused: map[string]string{}}
	for _, namespace := range namespaces {
		lacks, err := missing(ctx, api, namespace, watched...)
		if err != nil {
			return access{}, err
		}
		if lacks == "" {
			a.namespaces = append(a.namespaces, namespace)
		} else {
			a.refused[namespace] = lacks
		}
	}
	lacks, err := missing(ctx, api, "", authorizationv1.ResourceAttributes{Resource: "nodes"})
	if err != nil {
		return access{}, err
	}
	a.nodes = lacks == ""
	a.kinds, err = mayManage(ctx, api, a.namespaces, kinds)
	return a, err
}

// missing is the first permission that is lacking, as text, or empty.
func missing(ctx context.Context, api client.Client, namespace string, resources ...authorizationv1.ResourceAttributes) (string, error) {
	for _, attributes := range resources {
		for _, verb := range []string{"list", "watch"} {
			attributes.Namespace, attributes.Verb = namespace, verb
			question := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
			switch err := api.Create(ctx, question); {
			case apierrors.IsForbidden(err):
				return "", nil // a cluster that does not answer this question: the watch itself will tell
			case err != nil:
				return "", fmt.Errorf("asking what the operator may watch: %w", err)
			case !question.Status.Allowed:
				name := strings.TrimSuffix(attributes.Resource+"."+attributes.Group, ".")
				return verb + " " + name, nil
			}
		}
	}
	return "", nil
}

// explain writes what is missing to the log, and next steps.
func (m *Manager) explain(a access) {
	namespaces := make([]string, 0, len(a.refused))
	for namespace := range a.refused {
		namespaces = append(namespaces, namespace)
	}
	slices.Sort(namespaces)
	for _, namespace := range namespaces {
		m.log.Warn("streams of this namespace are not served: the operator's role lacks a permission there; bind its role, and it goes on by itself",
			"namespace", cmp.Or(namespace, "all"), "lacks", a.refused[namespace])
	}
	if !a.nodes {
		m.log.Warn("the operator may not list and watch nodes: streams on node ports need exposure.host or exposure.addresses")
	}
}

package manager

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// kindsTimeout bounds the question which kinds there are.
const kindsTimeout = 5 * time.Second

// optional is a resource that a cluster may lack.
type optional struct {
	group    schema.GroupVersion
	resource string
	has      func(*exposure.Kinds) *bool
}

// optionals are all of them.
var optionals = []optional{
	{schema.GroupVersion(gatewayv1.GroupVersion), "httproutes", func(k *exposure.Kinds) *bool { return &k.HTTPRoute }},
	{schema.GroupVersion(gatewayv1.GroupVersion), "tlsroutes", func(k *exposure.Kinds) *bool { return &k.TLSRoute }},
	{certmanager.GroupVersion, "certificates", func(k *exposure.Kinds) *bool { return &k.Certificate }},
}

// kindsOf asks the cluster which of the kinds that it may lack it has: one request for each group, which most clusters answer with "not
// found".
func kindsOf(config *rest.Config) (exposure.Kinds, error) {
	config = rest.CopyConfig(config)
	config.Timeout = kindsTimeout
	asks, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return exposure.Kinds{}, fmt.Errorf("creating client for kinds: %w", err)
	}
	served := map[schema.GroupVersionResource]bool{}
	asked := map[schema.GroupVersion]bool{}
	for _, o := range optionals {
		if asked[o.group] {
			continue
		}
		asked[o.group] = true
		list, err := asks.ServerResourcesForGroupVersion(o.group.String())
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return exposure.Kinds{}, fmt.Errorf("asking for the kinds of %s: %w", o.group, err)
		}
		for _, r := range list.APIResources {
			served[o.group.WithResource(r.Name)] = true
		}
	}
	var kinds exposure.Kinds
	for _, o := range optionals {
		*o.has(&kinds) = served[o.group.WithResource(o.resource)]
	}
	return kinds, nil
}

// mayManage leaves of the kinds those that the operator may watch in all of its namespaces: none where it has no namespace. An older
// role has none.
func mayManage(ctx context.Context, api client.Client, namespaces []string, kinds exposure.Kinds) (exposure.Kinds, error) {
	if len(namespaces) == 0 {
		return exposure.Kinds{}, nil
	}
	for _, namespace := range namespaces {
		for _, o := range optionals {
			has := o.has(&kinds)
			if !*has {
				continue
			}
			lacks, err := missing(ctx, api, namespace, authorizationv1.ResourceAttributes{Group: o.group.Group, Resource: o.resource})
			if err != nil {
				return exposure.Kinds{}, err
			}
			*has = lacks == ""
		}
	}
	return kinds, nil
}

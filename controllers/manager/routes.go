package manager

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// routesTimeout bounds the question which kinds there are.
const routesTimeout = 5 * time.Second

// routesOf asks the cluster which kinds of the Gateway API's routes it has: one request, which most clusters answer with "not found".
func routesOf(config *rest.Config) (exposure.Routes, error) {
	config = rest.CopyConfig(config)
	config.Timeout = routesTimeout
	asks, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return exposure.Routes{}, fmt.Errorf("creating client for kinds: %w", err)
	}
	list, err := asks.ServerResourcesForGroupVersion(gatewayv1.GroupVersion.String())
	if apierrors.IsNotFound(err) {
		return exposure.Routes{}, nil
	}
	if err != nil {
		return exposure.Routes{}, fmt.Errorf("asking for the kinds of the Gateway API: %w", err)
	}
	var routes exposure.Routes
	for _, resource := range list.APIResources {
		routes.HTTP = routes.HTTP || resource.Name == "httproutes"
		routes.TLS = routes.TLS || resource.Name == "tlsroutes"
	}
	return routes, nil
}

// mayManage leaves of the routes those that the operator may watch in all of its namespaces: none where it has no namespace. An older
// role has none.
func mayManage(ctx context.Context, api client.Client, namespaces []string, routes exposure.Routes) (exposure.Routes, error) {
	if len(namespaces) == 0 {
		return exposure.Routes{}, nil
	}
	for _, namespace := range namespaces {
		for resource, has := range map[string]*bool{"httproutes": &routes.HTTP, "tlsroutes": &routes.TLS} {
			if !*has {
				continue
			}
			lacks, err := missing(ctx, api, namespace, authorizationv1.ResourceAttributes{Group: gatewayv1.GroupName, Resource: resource})
			if err != nil {
				return exposure.Routes{}, err
			}
			*has = lacks == ""
		}
	}
	return routes, nil
}

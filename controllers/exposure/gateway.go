package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// gateway exposes the tracker at a host name of Gateways of the Gateway API. A tracker with a certificate of its own has a TLSRoute,
// by which TLS passes through; any other has an HTTPRoute, and perhaps a path. The Gateway connects to the tracker itself, so the
// tracker sees its address and not those of viewers.
type gateway struct{}

// The kinds of routes.
const (
	kindHTTPRoute = "HTTPRoute"
	kindTLSRoute  = "TLSRoute"
)

func (gateway) Traits(Component, v1.ExposureSettings) Traits { return Traits{Outside: true} }

// Objects returns a Service inside the cluster and the route that leads to it, unless the cluster does not know such routes.
func (g gateway) Objects(t Target, f Facts) []Object {
	objects := []Object{newService(t, t.ContainerPort)}
	switch kind := g.kind(t); {
	case !f.Kinds.route(kind):
	case kind == kindTLSRoute:
		objects = append(objects, g.tlsRoute(t))
	default:
		objects = append(objects, g.httpRoute(t))
	}
	return objects
}

// kind of the route.
func (gateway) kind(t Target) string {
	if t.Settings.TLSSecretName != "" {
		return kindTLSRoute
	}
	return kindHTTPRoute
}

func (gateway) host(t Target) gatewayv1.Hostname {
	return gatewayv1.Hostname(strings.ToLower(string(t.Settings.Host)))
}

func (g gateway) httpRoute(t Target) Object {
	rule := gatewayac.HTTPRouteRule().
		WithMatches(gatewayac.HTTPRouteMatch().WithPath(gatewayac.HTTPPathMatch().
			WithType(gatewayv1.PathMatchPathPrefix).
			WithValue(cmp.Or(string(t.Settings.Path), "/")))).
		WithBackendRefs(gatewayac.HTTPBackendRef().
			WithGroup("").WithKind("Service").WithName(gatewayv1.ObjectName(t.Name)).WithPort(t.ContainerPort).WithWeight(1))
	return gatewayac.HTTPRoute(t.Name, t.Namespace).
		WithLabels(t.Labels).
		WithAnnotations(texts(gatewaySettings(t).Annotations)).
		WithOwnerReferences(t.Owner).
		WithSpec(gatewayac.HTTPRouteSpec().
			WithParentRefs(g.parents(t)...).
			WithHostnames(g.host(t)).
			WithRules(rule))
}

func (g gateway) tlsRoute(t Target) Object {
	rule := gatewayac.TLSRouteRule().WithBackendRefs(gatewayac.BackendRef().
		WithGroup("").WithKind("Service").WithName(gatewayv1.ObjectName(t.Name)).WithPort(t.ContainerPort).WithWeight(1))
	return gatewayac.TLSRoute(t.Name, t.Namespace).
		WithLabels(t.Labels).
		WithAnnotations(texts(gatewaySettings(t).Annotations)).
		WithOwnerReferences(t.Owner).
		WithSpec(gatewayac.TLSRouteSpec().
			WithParentRefs(g.parents(t)...).
			WithHostnames(g.host(t)).
			WithRules(rule))
}

// parents are those of the spec, with the defaults that the API server would add, so that what it stores is what was sent.
func (gateway) parents(t Target) []*gatewayac.ParentReferenceApplyConfiguration {
	refs := gatewaySettings(t).ParentRefs
	parents := make([]*gatewayac.ParentReferenceApplyConfiguration, 0, len(refs))
	for _, ref := range refs {
		parent := gatewayac.ParentReference().WithGroup(gatewayv1.GroupName).WithKind("Gateway").WithName(gatewayv1.ObjectName(ref.Name))
		if ref.Namespace != "" {
			parent.WithNamespace(gatewayv1.Namespace(ref.Namespace))
		}
		if ref.SectionName != "" {
			parent.WithSectionName(gatewayv1.SectionName(ref.SectionName))
		}
		if ref.Port != nil {
			parent.WithPort(int32(*ref.Port))
		}
		parents = append(parents, parent)
	}
	return parents
}

func gatewaySettings(t Target) v1.GatewaySettings {
	if t.Settings.Gateway == nil {
		return v1.GatewaySettings{}
	}
	return *t.Settings.Gateway
}

func (gateway) Port(t Target, _ Facts) int32 { return webPort(t.Settings) }

func (g gateway) Addresses(t Target, f Facts) []Address {
	return []Address{{Host: string(t.Settings.Host), Port: g.Port(t, f), TLS: t.Settings.TLS(), Path: string(t.Settings.Path)}}
}

// Warning reports that the cluster knows no such routes, that a Gateway is missing or does not serve the route, or that viewers
// cannot use the address.
func (g gateway) Warning(t Target, f Facts, advertised []string) *Warning {
	warn := func(reason, message string) *Warning {
		return &Warning{Condition: t.Component.condition(), Reason: reason, Message: message}
	}
	field, kind := t.Component.Field(), g.kind(t)
	if !f.Kinds.route(kind) {
		since := "v1.0"
		if kind == kindTLSRoute {
			since = "v1.5"
		}
		return warn(v1.ReasonGatewayAPIMissing, fmt.Sprintf("the cluster has no kind %s of gateway.networking.k8s.io/v1, or the operator's role does not let it manage them, so no Gateway serves the tracker: "+
			"install the Gateway API, %s or later, and bind the role; the operator goes on by itself within a minute. Or set %s.type to %s", kind, since, field, outsideTypes(Tracker)))
	}
	var entrance []string
	known := true
	for _, ref := range gatewaySettings(t).ParentRefs {
		name := parentName(ref, t.Namespace)
		at, read := f.Gateways[name]
		known = known && read
		if read && at.Missing {
			return warn(v1.ReasonGatewayNotFound, fmt.Sprintf("there is no Gateway %s, so nothing serves %s %s: create it, or change %s.gateway.parentRefs", name, kind, t.Name, field))
		}
		if w := g.refused(t, f, ref); w != "" {
			return warn(v1.ReasonRouteNotAccepted, w)
		}
		entrance = append(entrance, at.Addresses...)
	}
	switch {
	case known && len(entrance) == 0:
		return warn(v1.ReasonAddressPending, fmt.Sprintf("the Gateway of %s %s has no address yet. See: kubectl describe gateway %s",
			kind, t.Name, describeGateway(gatewaySettings(t).ParentRefs, t.Namespace)))
	case len(advertised) > 0 && strings.HasPrefix(advertised[0], "ws://"):
		return warn(v1.ReasonInsecureEndpoint, fmt.Sprintf("pages on https cannot use %s: to serve them, set %s.tlsTerminated if the Gateway ends TLS, or %s.tlsSecretName to let TLS pass through it",
			advertised[0], field, field))
	case known:
		return elsewhere(t, f, entrance)
	}
	return nil
}

// refused says why a Gateway does not serve the route; empty when it does.
func (g gateway) refused(t Target, f Facts, ref v1.GatewayReference) string {
	name, kind := parentName(ref, t.Namespace), g.kind(t)
	see := fmt.Sprintf("See: kubectl describe %s %s --namespace %s", strings.ToLower(kind), t.Name, t.Namespace)
	said := slices.IndexFunc(f.Observed[t.Name].Parents, func(p Parent) bool {
		return p.Kind == kind && p.Gateway == name && p.Section == string(ref.SectionName)
	})
	if said < 0 {
		return fmt.Sprintf("no controller has said whether Gateway %s serves %s %s: its GatewayClass may have no controller, or one that does not know this kind. %s", name, kind, t.Name, see)
	}
	if p := f.Observed[t.Name].Parents[said]; !p.Accepted {
		return fmt.Sprintf("Gateway %s does not serve %s %s: %s. Change its listeners or %s.gateway.parentRefs. %s", name, kind, t.Name, p.Reason, t.Component.Field(), see)
	}
	return ""
}

// parentName is namespace/name of the Gateway that a reference in a namespace names.
func parentName(ref v1.GatewayReference, namespace string) string {
	return cmp.Or(string(ref.Namespace), namespace) + "/" + string(ref.Name)
}

// describeGateway is how kubectl names the first Gateway.
func describeGateway(refs []v1.GatewayReference, namespace string) string {
	return fmt.Sprintf("%s --namespace %s", refs[0].Name, cmp.Or(string(refs[0].Namespace), namespace))
}

// Gateways are the Gateways that the spec names, as namespace/name, for a stream or network of a namespace.
func Gateways(spec *v1.P2PStreamSpec, namespace string) []string {
	s := SettingsOf(spec, Tracker)
	if s.Type != v1.ExposureGateway || s.Gateway == nil {
		return nil
	}
	var names []string
	for _, ref := range s.Gateway.ParentRefs {
		if name := parentName(ref, namespace); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// GatewayOf is what is read of a Gateway.
func GatewayOf(g *gatewayv1.Gateway) Gateway {
	var at Gateway
	for _, a := range g.Status.Addresses {
		if host := assigned(a.Value); host != "" && len(at.Addresses) < maxAssigned && !slices.Contains(at.Addresses, host) {
			at.Addresses = append(at.Addresses, host)
		}
	}
	return at
}

func (gateway) Refused(Target, error, string) *Refusal { return nil }

// Note records what Gateways say of a route.
func (gateway) Note(child runtime.Object, o *Observation) {
	switch route := child.(type) {
	case *gatewayv1.HTTPRoute:
		o.Parents = noted(o.Parents, kindHTTPRoute, route.ObjectMeta, route.Status.RouteStatus)
	case *gatewayv1.TLSRoute:
		o.Parents = noted(o.Parents, kindTLSRoute, route.ObjectMeta, route.Status.RouteStatus)
	}
}

// maxParents bounds what is read of one route: controllers write it.
const maxParents = 16

// noted replaces what was known of routes of a kind.
func noted(before []Parent, kind string, route metav1.ObjectMeta, status gatewayv1.RouteStatus) []Parent {
	after := slices.DeleteFunc(slices.Clone(before), func(p Parent) bool { return p.Kind == kind })
	for _, said := range status.Parents {
		if len(after) >= maxParents {
			break
		}
		parent := Parent{Kind: kind, Gateway: route.Namespace + "/" + string(said.ParentRef.Name)}
		if said.ParentRef.Namespace != nil {
			parent.Gateway = string(*said.ParentRef.Namespace) + "/" + string(said.ParentRef.Name)
		}
		if said.ParentRef.SectionName != nil {
			parent.Section = string(*said.ParentRef.SectionName)
		}
		if !judged(&parent, said.Conditions, route.Generation) {
			continue
		}
		after = append(after, parent)
	}
	if len(after) == 0 {
		return nil
	}
	return after
}

// judged fills in whether a Gateway serves a route; false when it has not said so of this generation.
func judged(p *Parent, conditions []metav1.Condition, generation int64) bool {
	for _, c := range conditions {
		if c.ObservedGeneration != 0 && c.ObservedGeneration < generation {
			continue
		}
		accepted := c.Type == string(gatewayv1.RouteConditionAccepted)
		if accepted && c.Status == metav1.ConditionTrue {
			p.Accepted = true
		}
		if (accepted || c.Type == string(gatewayv1.RouteConditionResolvedRefs)) && c.Status == metav1.ConditionFalse {
			p.Accepted, p.Reason = false, c.Reason // which is a word: the schema of the kind says so
			return true
		}
	}
	return p.Accepted
}

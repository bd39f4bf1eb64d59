package entrance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// controllerName is by what routes know who wrote their status.
const controllerName = gatewayv1.GatewayController("p2pstream.dev/test-entrance")

// controller makes the table of the proxy from the objects of the cluster.
type controller struct {
	Options
	address string // of the entrance
}

// pass is one look at the cluster.
type pass struct {
	*controller
	table table
	said  []func(context.Context) error // writes of status, for when the proxy serves the table
	errs  []error
}

// sync reads all objects, gives the table to load, and then says in their status that they are served.
func (c *controller) sync(ctx context.Context, load func(table) error) error {
	p := &pass{controller: c, table: table{Listen: c.Listen, Idle: c.Idle, ProxyProtocol: c.ProxyProtocol}}
	p.ingresses(ctx)
	p.gateways(ctx)
	if err := load(p.table); err != nil {
		return err
	}
	for _, say := range p.said {
		p.fail(say(ctx))
	}
	return errors.Join(p.errs...)
}

// fail notes an error about one object, which does not keep others from being served.
func (p *pass) fail(err error) {
	if client.IgnoreNotFound(err) != nil {
		p.errs = append(p.errs, err)
	}
}

func (p *pass) ingresses(ctx context.Context) {
	var list networkingv1.IngressList
	if err := p.Client.List(ctx, &list); err != nil {
		p.fail(fmt.Errorf("listing Ingresses: %w", err))
		return
	}
	for i := range list.Items {
		in := &list.Items[i]
		if in.Spec.IngressClassName == nil || *in.Spec.IngressClassName != p.Class {
			continue
		}
		for _, rule := range in.Spec.Rules {
			if rule.HTTP == nil {
				continue
			}
			for _, path := range rule.HTTP.Paths {
				if s := path.Backend.Service; s != nil {
					p.route(ctx, in.Namespace, s.Name, s.Port.Number, route{Host: rule.Host, Path: path.Path})
				}
			}
		}
		for _, t := range in.Spec.TLS {
			p.certificate(ctx, in.Namespace, t.SecretName)
		}
		p.said = append(p.said, func(ctx context.Context) error {
			want := []networkingv1.IngressLoadBalancerIngress{{IP: p.address}}
			if equality.Semantic.DeepEqual(in.Status.LoadBalancer.Ingress, want) {
				return nil
			}
			in.Status.LoadBalancer.Ingress = want
			return p.Client.Status().Update(ctx, in)
		})
	}
}

func (p *pass) gateways(ctx context.Context) {
	var list gatewayv1.GatewayList
	if err := p.Client.List(ctx, &list); err != nil {
		if !meta.IsNoMatchError(err) {
			p.fail(fmt.Errorf("listing Gateways: %w", err))
		}
		return
	}
	own := map[client.ObjectKey]*gatewayv1.Gateway{}
	for i := range list.Items {
		g := &list.Items[i]
		if string(g.Spec.GatewayClassName) != p.Class {
			continue
		}
		own[client.ObjectKeyFromObject(g)] = g
		for _, l := range g.Spec.Listeners {
			if l.TLS == nil {
				continue
			}
			for _, ref := range l.TLS.CertificateRefs {
				p.certificate(ctx, g.Namespace, string(ref.Name))
			}
		}
		p.said = append(p.said, func(ctx context.Context) error {
			want := []gatewayv1.GatewayStatusAddress{{Type: new(gatewayv1.IPAddressType), Value: p.address}}
			if equality.Semantic.DeepEqual(g.Status.Addresses, want) {
				return nil
			}
			g.Status.Addresses = want
			return p.Client.Status().Update(ctx, g)
		})
	}
	p.httpRoutes(ctx, own)
	p.tlsRoutes(ctx, own)
}

func (p *pass) httpRoutes(ctx context.Context, gateways map[client.ObjectKey]*gatewayv1.Gateway) {
	var list gatewayv1.HTTPRouteList
	if err := p.Client.List(ctx, &list); err != nil {
		p.fail(fmt.Errorf("listing HTTPRoutes: %w", err))
		return
	}
	for i := range list.Items {
		r := &list.Items[i]
		if !p.attach(r, r.Spec.ParentRefs, &r.Status.RouteStatus, gateways) {
			continue
		}
		for _, rule := range r.Spec.Rules {
			for _, backend := range rule.BackendRefs {
				for _, match := range rule.Matches {
					path := "/"
					if match.Path != nil && match.Path.Value != nil {
						path = *match.Path.Value
					}
					p.routes(ctx, r.Namespace, backend.BackendRef, r.Spec.Hostnames, route{Path: path})
				}
			}
		}
	}
}

func (p *pass) tlsRoutes(ctx context.Context, gateways map[client.ObjectKey]*gatewayv1.Gateway) {
	var list gatewayv1.TLSRouteList
	if err := p.Client.List(ctx, &list); err != nil {
		p.fail(fmt.Errorf("listing TLSRoutes: %w", err))
		return
	}
	for i := range list.Items {
		r := &list.Items[i]
		if !p.attach(r, r.Spec.ParentRefs, &r.Status.RouteStatus, gateways) {
			continue
		}
		for _, rule := range r.Spec.Rules {
			for _, backend := range rule.BackendRefs {
				p.routes(ctx, r.Namespace, backend, r.Spec.Hostnames, route{Through: true})
			}
		}
	}
}

// attach judges a route for each of our Gateways that it names, has that said, and tells whether one serves it.
func (p *pass) attach(o client.Object, refs []gatewayv1.ParentReference, status *gatewayv1.RouteStatus, gateways map[client.ObjectKey]*gatewayv1.Gateway) (served bool) {
	changed := false
	for _, ref := range refs {
		key := client.ObjectKey{Namespace: o.GetNamespace(), Name: string(ref.Name)}
		if ref.Namespace != nil {
			key.Namespace = string(*ref.Namespace)
		}
		g := gateways[key]
		if g == nil {
			continue
		}
		accepted := metav1.Condition{Type: string(gatewayv1.RouteConditionAccepted), Status: metav1.ConditionTrue,
			Reason: string(gatewayv1.RouteReasonAccepted), ObservedGeneration: o.GetGeneration()}
		if !allows(g, ref, o.GetNamespace()) {
			accepted.Status, accepted.Reason = metav1.ConditionFalse, string(gatewayv1.RouteReasonNotAllowedByListeners)
		}
		served = served || accepted.Status == metav1.ConditionTrue
		at := slices.IndexFunc(status.Parents, func(s gatewayv1.RouteParentStatus) bool {
			return s.ControllerName == controllerName && equality.Semantic.DeepEqual(s.ParentRef, ref)
		})
		if at < 0 {
			status.Parents = append(status.Parents, gatewayv1.RouteParentStatus{ParentRef: ref, ControllerName: controllerName})
			at = len(status.Parents) - 1
		}
		changed = meta.SetStatusCondition(&status.Parents[at].Conditions, accepted) || changed
	}
	if changed {
		p.said = append(p.said, func(ctx context.Context) error { return p.Client.Status().Update(ctx, o) })
	}
	return served
}

// allows tells whether a listener admits routes of a namespace.
func allows(g *gatewayv1.Gateway, ref gatewayv1.ParentReference, namespace string) bool {
	return slices.ContainsFunc(g.Spec.Listeners, func(l gatewayv1.Listener) bool {
		if ref.SectionName != nil && *ref.SectionName != l.Name {
			return false
		}
		all := l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil && l.AllowedRoutes.Namespaces.From != nil &&
			*l.AllowedRoutes.Namespaces.From == gatewayv1.NamespacesFromAll
		return all || namespace == g.Namespace
	})
}

// routes adds a route for each host.
func (p *pass) routes(ctx context.Context, namespace string, to gatewayv1.BackendRef, hosts []gatewayv1.Hostname, r route) {
	if to.Port == nil {
		return
	}
	for _, host := range hosts {
		r.Host = string(host)
		p.route(ctx, namespace, string(to.Name), *to.Port, r)
	}
}

// route adds a route to a Service, by its cluster IP: the proxy's namespace has no DNS of the cluster.
func (p *pass) route(ctx context.Context, namespace, service string, port int32, r route) {
	if err := r.check(); err != nil {
		p.fail(fmt.Errorf("leading to Service %s/%s: %w", namespace, service, err))
		return
	}
	var s corev1.Service
	if err := p.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: service}, &s); err != nil {
		p.fail(fmt.Errorf("reading Service %s/%s: %w", namespace, service, err))
		return
	}
	r.Upstream = net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(int(port)))
	p.table.Routes = append(p.table.Routes, r)
}

// certificate adds that of a Secret, once.
func (p *pass) certificate(ctx context.Context, namespace, name string) {
	var s corev1.Secret
	if err := p.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &s); err != nil {
		p.fail(fmt.Errorf("reading Secret %s/%s: %w", namespace, name, err))
		return
	}
	c := certificate{Cert: string(s.Data[corev1.TLSCertKey]), Key: string(s.Data[corev1.TLSPrivateKeyKey])}
	if !slices.Contains(p.table.Certificates, c) {
		p.table.Certificates = append(p.table.Certificates, c)
	}
}

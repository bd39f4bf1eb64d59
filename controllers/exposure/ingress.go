package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// ingress exposes the tracker at a host name, and perhaps below a path, of the cluster's ingress controller, which may end TLS.
// The controller connects to the tracker itself, so the tracker sees its address and not those of viewers.
type ingress struct{}

func (ingress) Traits(Component, v1.ExposureSettings) Traits { return Traits{Outside: true} }

// Objects returns a Service inside the cluster and the Ingress that leads to it.
func (ingress) Objects(t Target, _ Facts) []Object {
	s := ingressSettings(t)
	host := strings.ToLower(string(t.Settings.Host))
	backend := networkingv1ac.IngressBackend().WithService(networkingv1ac.IngressServiceBackend().
		WithName(t.Name).
		WithPort(networkingv1ac.ServiceBackendPort().WithNumber(t.ContainerPort)))
	spec := networkingv1ac.IngressSpec().WithRules(networkingv1ac.IngressRule().
		WithHost(host).
		WithHTTP(networkingv1ac.HTTPIngressRuleValue().WithPaths(networkingv1ac.HTTPIngressPath().
			WithPath(cmp.Or(string(t.Settings.Path), "/")).
			WithPathType(networkingv1.PathTypePrefix).
			WithBackend(backend))))
	if s.ClassName != "" {
		spec.WithIngressClassName(s.ClassName)
	}
	if s.TLSSecretName != "" {
		spec.WithTLS(networkingv1ac.IngressTLS().WithHosts(host).WithSecretName(string(s.TLSSecretName)))
	}
	return []Object{
		newService(t, t.ContainerPort),
		networkingv1ac.Ingress(t.Name, t.Namespace).
			WithLabels(t.Labels).
			WithAnnotations(texts(s.Annotations)).
			WithOwnerReferences(t.Owner).
			WithSpec(spec),
	}
}

func ingressSettings(t Target) v1.IngressSettings {
	if t.Settings.Ingress == nil {
		return v1.IngressSettings{}
	}
	return *t.Settings.Ingress
}

func (ingress) Port(t Target, _ Facts) int32 { return webPort(t.Settings) }

// webPort is the port that viewers connect to where TLS or HTTP is spoken in front of the tracker.
func webPort(s v1.ExposureSettings) int32 {
	switch {
	case s.Port != nil:
		return int32(*s.Port)
	case s.TLS():
		return portHTTPS
	}
	return portHTTP
}

func (i ingress) Addresses(t Target, f Facts) []Address {
	return []Address{{Host: string(t.Settings.Host), Port: i.Port(t, f), TLS: t.Settings.TLS(), Path: string(t.Settings.Path)}}
}

// Warning reports that no controller serves the Ingress, or that pages on https cannot use the address.
func (ingress) Warning(t Target, f Facts, advertised []string) *Warning {
	warn := func(reason, message string) *Warning {
		return &Warning{Condition: t.Component.condition(), Reason: reason, Message: message}
	}
	field, class := t.Component.Field(), ingressSettings(t).ClassName
	switch {
	case f.IngressClasses != nil && class != "" && !slices.Contains(f.IngressClasses.Names, class):
		return warn(v1.ReasonClassNotFound, fmt.Sprintf("there is no IngressClass %s in the cluster, so no controller serves Ingress %s: install the controller, or set %s.ingress.className to %s",
			class, t.Name, field, f.IngressClasses.choice()))
	case f.IngressClasses != nil && class == "" && !f.IngressClasses.Default:
		return warn(v1.ReasonClassNotFound, fmt.Sprintf("the cluster has no default IngressClass, so no controller serves Ingress %s: set %s.ingress.className to %s",
			t.Name, field, f.IngressClasses.choice()))
	case len(f.Observed[t.Name].Ingress) == 0:
		return warn(v1.ReasonAddressPending, fmt.Sprintf("Ingress %s has no address yet: its controller has not taken it, or does not write addresses into status. See: kubectl describe ingress %s --namespace %s",
			t.Name, t.Name, t.Namespace))
	case len(advertised) > 0 && strings.HasPrefix(advertised[0], "ws://"):
		return warn(v1.ReasonInsecureEndpoint, fmt.Sprintf("pages on https cannot use %s: to serve them, set %s.ingress.tlsSecretName, or %s.tlsTerminated if the controller has a certificate of its own",
			advertised[0], field, field))
	}
	return elsewhere(t, f, f.Observed[t.Name].Ingress)
}

func (ingress) Refused(Target, error, string) *Refusal { return nil }

// Note records the addresses of an Ingress, and forgets them when it has none.
func (ingress) Note(child runtime.Object, o *Observation) {
	route, is := child.(*networkingv1.Ingress)
	if !is {
		return
	}
	o.Ingress = nil
	for _, at := range route.Status.LoadBalancer.Ingress {
		for _, host := range []string{at.IP, at.Hostname} {
			if host = assigned(host); host != "" && len(o.Ingress) < maxAssigned && !slices.Contains(o.Ingress, host) {
				o.Ingress = append(o.Ingress, host)
			}
		}
	}
}

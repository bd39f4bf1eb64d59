package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// loadBalancer exposes a target at an address that the cluster's load balancer assigns. Each seeder has a Service and a port
// of its own, counted from the first one, so that all may share one address. It listens on exactly that port, because WebRTC
// advertises the port that it listens on.
type loadBalancer struct{}

func (loadBalancer) Traits(c Component, s v1.ExposureSettings) Traits {
	traits := Traits{Outside: true, ClientAddresses: trafficPolicy(c, s) == v1.TrafficPolicyLocal}
	if c == Seeder {
		traits.OwnPorts, traits.Advertise = true, AdvertiseAssigned
	}
	return traits
}

// Objects returns a Service that asks for what the spec says. Its port is known before its address.
func (l loadBalancer) Objects(t Target, _ Facts) []Object {
	port := l.port(t)
	service := newService(t, port)
	spec := service.Spec.
		WithType(corev1.ServiceTypeLoadBalancer).
		WithExternalTrafficPolicy(corev1.ServiceExternalTrafficPolicy(trafficPolicy(t.Component, t.Settings)))
	if t.Component != Seeder {
		spec.Ports[0].WithTargetPort(intstr.FromInt32(t.ContainerPort))
	}
	if t.Settings.TCP {
		spec.WithPorts(corev1ac.ServicePort().
			WithName(t.PortName + "-tcp").
			WithProtocol(corev1.ProtocolTCP).
			WithPort(port).
			WithTargetPort(intstr.FromInt32(t.ContainerPort)))
	}
	if asked := t.Settings.LoadBalancer; asked != nil {
		ask(service, asked)
	}
	return []Object{service}
}

// ask adds to a Service what the spec asks of its load balancer.
func ask(service *corev1ac.ServiceApplyConfiguration, asked *v1.LoadBalancerSettings) {
	service.WithAnnotations(texts(asked.Annotations))
	for _, r := range asked.SourceRanges {
		service.Spec.WithLoadBalancerSourceRanges(string(r))
	}
	if asked.Class != "" {
		service.Spec.WithLoadBalancerClass(asked.Class)
	}
	if asked.Address != "" {
		service.Spec.WithLoadBalancerIP(asked.Address)
	}
	if asked.HealthCheckNodePort != nil {
		service.Spec.WithHealthCheckNodePort(*asked.HealthCheckNodePort)
	}
}

// texts are annotations as Kubernetes has them; nil without any.
func texts(annotations map[string]v1.AnnotationValue) map[string]string {
	if len(annotations) == 0 {
		return nil
	}
	plain := make(map[string]string, len(annotations))
	for key, value := range annotations {
		plain[key] = string(value)
	}
	return plain
}

// port is the port of the load balancer, whether it has an address or not.
func (loadBalancer) port(t Target) int32 {
	var asked int32
	if t.Settings.Port != nil {
		asked = int32(*t.Settings.Port)
	}
	switch {
	case t.Component == Seeder:
		return cmp.Or(asked, t.ContainerPort) + t.Ordinal
	case t.Component == STUN:
		return cmp.Or(asked, t.ContainerPort)
	}
	return webPort(t.Settings)
}

// Port of a seeder is unknown until its load balancer has an address: a seeder that started earlier would have nothing to
// advertise.
func (l loadBalancer) Port(t Target, f Facts) int32 {
	if t.Component == Seeder && len(f.Observed[t.Name].LoadBalancer) == 0 {
		return 0
	}
	return l.port(t)
}

// Addresses returns the host of the spec, or else what the load balancer was assigned.
func (l loadBalancer) Addresses(t Target, f Facts) []Address {
	hosts := f.Observed[t.Name].LoadBalancer
	if t.Settings.Host != "" {
		hosts = []string{string(t.Settings.Host)}
	}
	var addresses []Address
	for _, host := range hosts {
		addresses = append(addresses, Address{Host: host, Port: l.port(t), TLS: t.Settings.TLS()})
	}
	if t.Component == STUN && !t.Ready {
		for i := range addresses {
			addresses[i].Starting = true
		}
	}
	return addresses
}

// Warning reports that the load balancer has no address yet, or that pages on https cannot use the address.
func (l loadBalancer) Warning(t Target, f Facts, advertised []string) *Warning {
	warn := func(reason, message string) *Warning {
		return &Warning{Condition: t.Component.condition(), Reason: reason, Message: message}
	}
	field := t.Component.Field()
	switch {
	case len(f.Observed[t.Name].LoadBalancer) == 0:
		by := "a default implementation of load balancers"
		if s := t.Settings.LoadBalancer; s != nil && s.Class != "" {
			by = "an implementation of class " + s.Class
		}
		return warn(v1.ReasonAddressPending, fmt.Sprintf("the load balancer of Service %s has no address yet. If it stays without one, see: kubectl describe service %s --namespace %s. "+
			"The cluster needs %s; without one, set %s.type to NodePort", t.Name, t.Name, t.Namespace, by, field))
	case t.Component == Tracker && len(advertised) > 0 && strings.HasPrefix(advertised[0], "ws://"):
		return warn(v1.ReasonInsecureEndpoint, fmt.Sprintf("pages on https cannot use %s: to serve them, set %s.tlsSecretName, or %s.tlsTerminated if the load balancer ends TLS", advertised[0], field, field))
	case t.Component == Tracker && t.Settings.Host != "":
		return elsewhere(t, f, f.Observed[t.Name].LoadBalancer)
	}
	return nil
}

// Refused explains that a Service cannot change its class, and which fields another cluster would take.
func (loadBalancer) Refused(t Target, err error, details string) *Refusal {
	text, field := err.Error(), t.Component.Field()
	switch {
	case strings.Contains(text, "spec.loadBalancerClass") && strings.Contains(text, "may not change once set"):
		return &Refusal{Reason: v1.ReasonInvalidSpec, Message: fmt.Sprintf("%s.loadBalancer.class: the class of an existing load balancer cannot be changed. "+
			"Delete Service %s, and the operator creates it again with the new class; its address may change.", field, t.Name)}
	case strings.Contains(text, "spec.healthCheckNodePort") || strings.Contains(text, "provided port is already allocated"):
		return &Refusal{Reason: v1.ReasonNodePortTaken, Message: fmt.Sprintf("%s.loadBalancer.healthCheckNodePort: the cluster does not assign this port: %s. "+
			"Choose another, or remove the field to let the cluster choose.", field, details)}
	}
	return nil
}

// Bounds on what a load balancer is read to have been assigned.
const maxAssigned = 8

var assignedName = regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?([.][a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*$`)

// Note records the addresses of a Service's load balancer, and forgets them when it has none.
func (loadBalancer) Note(child runtime.Object, o *Observation) {
	service, is := child.(*corev1.Service)
	if !is {
		return
	}
	o.LoadBalancer = nil
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return
	}
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		for _, host := range []string{ingress.IP, ingress.Hostname} {
			if host = assigned(host); host != "" && len(o.LoadBalancer) < maxAssigned && !slices.Contains(o.LoadBalancer, host) {
				o.LoadBalancer = append(o.LoadBalancer, host)
			}
		}
	}
}

// assigned returns an address or a host name that a load balancer was assigned, or nothing if viewers could not use it.
func assigned(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Zone() != "" || ip.IsUnspecified() {
			return ""
		}
		return ip.String()
	}
	if len(host) > 253 || !assignedName.MatchString(host) {
		return ""
	}
	return strings.ToLower(host)
}

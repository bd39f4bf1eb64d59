package v1

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (e *TrackerExposure) validate(at *field.Path) field.ErrorList {
	errs := e.Settings().validate(at, "tracker.exposure")
	if lb := e.LoadBalancer; lb != nil && lb.HealthCheckNodePort != nil && e.ExternalTrafficPolicy != TrafficPolicyLocal {
		errs = append(errs, field.Invalid(at, string(e.ExternalTrafficPolicy), "tracker.exposure.loadBalancer.healthCheckNodePort needs tracker.exposure.externalTrafficPolicy Local"))
	}
	if e.TLSTerminated && (e.Type == ExposureNodePort || e.Host == "" || e.TLSSecretName != "") {
		errs = append(errs, field.Invalid(at, string(e.Type), "tracker.exposure.tlsTerminated needs another tracker.exposure.type than NodePort, the host that the certificate is for, and no tlsSecretName"))
	}
	if e.Type == ExposureIngress || e.Type == ExposureGateway {
		if _, err := netip.ParseAddr(string(e.Host)); e.Host == "" || err == nil {
			errs = append(errs, field.Invalid(at, string(e.Host), "tracker.exposure.type Ingress or Gateway needs tracker.exposure.host, the DNS name that viewers use"))
		}
	}
	if e.Type == ExposureIngress && e.TLSSecretName != "" {
		errs = append(errs, field.Invalid(at, string(e.TLSSecretName), "tracker.exposure.tlsSecretName is a certificate of the tracker itself: with type Ingress, use ingress.tlsSecretName"))
	}
	if (e.Type == ExposureGateway) != (e.Gateway != nil) {
		errs = append(errs, field.Invalid(at, string(e.Type), "tracker.exposure.gateway needs tracker.exposure.type Gateway, and type Gateway needs tracker.exposure.gateway.parentRefs"))
	}
	if e.Type == ExposureGateway && e.TLSSecretName != "" && e.Path != "" {
		errs = append(errs, field.Invalid(at, string(e.Path), "tracker.exposure.path is hidden from a Gateway that lets TLS pass through: with type Gateway, remove path or tlsSecretName"))
	}
	errs = append(errs, e.validateCertificate(at)...)
	if e.Path != "" && (len(e.Path) > 256 || !basePath.MatchString(string(e.Path))) {
		errs = append(errs, field.Invalid(at.Child("path"), string(e.Path), "exposure.path must be a path such as /town-hall, without a slash at its end"))
	}
	ownProxy := e.Type == ExposureClusterIP && e.Host != ""
	if e.Port != nil && e.Type != ExposureLoadBalancer && e.Type != ExposureIngress && e.Type != ExposureGateway && !ownProxy {
		errs = append(errs, field.Invalid(at, string(e.Type), "tracker.exposure.port needs tracker.exposure.type LoadBalancer, Ingress or Gateway, or ClusterIP with the host of your proxy"))
	}
	if e.Path != "" && e.Type != ExposureIngress && e.Type != ExposureGateway && !ownProxy {
		errs = append(errs, field.Invalid(at, string(e.Type), "tracker.exposure.path needs tracker.exposure.type Ingress or Gateway, or ClusterIP with the host of your proxy"))
	}
	errs = append(errs, e.Ingress.validate(at.Child("ingress"))...)
	errs = append(errs, e.Gateway.validate(at.Child("gateway"))...)
	return append(errs, e.TLSSecretName.validate(at.Child("tlsSecretName"))...)
}

func (e *STUNExposure) validate(at *field.Path) field.ErrorList {
	return e.Settings().validate(at, "stun.exposure")
}

func (e *SeederExposure) validate(at *field.Path) field.ErrorList {
	errs := e.Settings().validate(at, "seeders.exposure")
	if e.Port != nil && *e.Port >= 1 && *e.Port <= 65535 && (*e.Port < 1024 || *e.Port > 65472) {
		errs = append(errs, field.Invalid(at, int32(*e.Port), "seeders.exposure.port must be between 1024 and 65472: seeders listen on consecutive ports from it"))
	}
	if e.LoadBalancer != nil && e.LoadBalancer.HealthCheckNodePort != nil {
		errs = append(errs, field.Invalid(at, *e.LoadBalancer.HealthCheckNodePort, "seeders.exposure.loadBalancer.healthCheckNodePort is one port, and each seeder needs its own: remove it"))
	}
	return errs
}

// validate checks the fields that exposures share, and refuses those that the type does not use.
func (s ExposureSettings) validate(at *field.Path, name string) field.ErrorList {
	types := []ExposureType{ExposureClusterIP, ExposureNodePort, ExposureLoadBalancer, ExposureHostPort}
	if name == "tracker.exposure" {
		types = append(types[:3], ExposureIngress, ExposureGateway)
	}
	errs := oneOf(at.Child("type"), s.Type, types...)
	errs = append(errs, set(at.Child("addresses"), s.Addresses, 16)...)
	for i, a := range s.Addresses {
		if !a.valid() {
			errs = append(errs, field.Invalid(at.Child("addresses").Index(i), string(a), "exposure.addresses must hold IP addresses that viewers can reach, such as 192.0.2.10"))
		}
	}
	if !s.Host.valid() {
		errs = append(errs, field.Invalid(at.Child("host"), string(s.Host), "exposure.host must be a host name or an IP address without scheme, port and path"))
	}
	if s.NodePort != nil {
		errs = append(errs, port(at.Child("nodePort"), int32(*s.NodePort), "exposure.nodePort")...)
	}
	if s.Port != nil {
		errs = append(errs, port(at.Child("port"), int32(*s.Port), "exposure.port")...)
	}
	if s.ExternalTrafficPolicy != "" {
		errs = append(errs, oneOf(at.Child("externalTrafficPolicy"), s.ExternalTrafficPolicy, TrafficPolicyCluster, TrafficPolicyLocal)...)
	}
	errs = append(errs, set(at.Child("ipFamilies"), s.IPFamilies, 2)...)
	for i, f := range s.IPFamilies {
		errs = append(errs, oneOf(at.Child("ipFamilies").Index(i), f, IPv4, IPv6)...)
	}
	errs = append(errs, s.LoadBalancer.validate(at.Child("loadBalancer"))...)
	return append(errs, s.unused(at, name)...)
}

// unused refuses the fields that are set and that the type does not use.
func (s ExposureSettings) unused(at *field.Path, name string) (errs field.ErrorList) {
	outside := []ExposureType{ExposureNodePort, ExposureLoadBalancer, ExposureHostPort}
	addressTypes, policyTypes := []ExposureType{ExposureNodePort, ExposureHostPort}, outside[:2]
	switch name {
	case "tracker.exposure":
		addressTypes = addressTypes[:1]
	case "seeders.exposure":
		policyTypes = outside[1:2] // on node ports, it is always Local
	}
	for _, used := range []struct {
		field string
		set   bool
		types []ExposureType
	}{
		{"nodePort", s.NodePort != nil, []ExposureType{ExposureNodePort}},
		{"host", s.Host != "" && name != "tracker.exposure", outside},
		{"addresses", len(s.Addresses) > 0, addressTypes},
		{"externalTrafficPolicy", s.ExternalTrafficPolicy != "", policyTypes},
		{"port", s.Port != nil && name != "tracker.exposure", outside[1:]},
		{"ingress", s.Ingress != nil, []ExposureType{ExposureIngress}},
		{"loadBalancer", s.LoadBalancer != nil, []ExposureType{ExposureLoadBalancer}},
		{"tcp", s.TCP, []ExposureType{ExposureLoadBalancer}},
	} {
		if used.set && !slices.Contains(used.types, s.Type) {
			errs = append(errs, field.Invalid(at, string(s.Type), name+"."+used.field+" needs "+name+".type "+join(used.types)))
		}
	}
	return errs
}

// join lists types as text: "NodePort or LoadBalancer".
func join(types []ExposureType) string {
	var text strings.Builder
	for i, t := range types {
		switch {
		case i > 0 && i == len(types)-1:
			text.WriteString(" or ")
		case i > 0:
			text.WriteString(", ")
		}
		text.WriteString(string(t))
	}
	return text.String()
}

func port(at *field.Path, value int32, name string) field.ErrorList {
	if value >= 1 && value <= 65535 {
		return nil
	}
	return field.ErrorList{field.Invalid(at, value, name+" must be between 1 and 65535")}
}

var className = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)

func (l *LoadBalancerSettings) validate(at *field.Path) (errs field.ErrorList) {
	if l == nil {
		return nil
	}
	switch {
	case len(l.Class) > 317:
		errs = append(errs, field.TooLong(at.Child("class"), l.Class, 317))
	case l.Class != "" && !className.MatchString(l.Class):
		errs = append(errs, field.Invalid(at.Child("class"), l.Class, "exposure.loadBalancer.class must be a name with an optional prefix, such as service.k8s.aws/nlb"))
	}
	errs = append(errs, annotations(at.Child("annotations"), l.Annotations)...)
	errs = append(errs, set(at.Child("sourceRanges"), l.SourceRanges, 64)...)
	for i, r := range l.SourceRanges {
		if !AddressRange(r).valid() {
			errs = append(errs, field.Invalid(at.Child("sourceRanges").Index(i), string(r), "exposure.loadBalancer.sourceRanges must hold ranges of IP addresses, such as 10.0.0.0/8"))
		}
	}
	if ip, err := netip.ParseAddr(l.Address); l.Address != "" && (err != nil || ip.Zone() != "" || ip.Is4In6()) {
		errs = append(errs, field.Invalid(at.Child("address"), l.Address, "exposure.loadBalancer.address must be an IP address, such as 203.0.113.10"))
	}
	if l.HealthCheckNodePort != nil {
		errs = append(errs, port(at.Child("healthCheckNodePort"), *l.HealthCheckNodePort, "exposure.loadBalancer.healthCheckNodePort")...)
	}
	return errs
}

var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

func (i *IngressSettings) validate(at *field.Path) (errs field.ErrorList) {
	if i == nil {
		return nil
	}
	if i.ClassName != "" && (len(i.ClassName) > 253 || !secretName.MatchString(i.ClassName)) {
		errs = append(errs, field.Invalid(at.Child("className"), i.ClassName, "exposure.ingress.className must be the name of an IngressClass: lower case letters, digits, - and ."))
	}
	errs = append(errs, annotations(at.Child("annotations"), i.Annotations)...)
	return append(errs, i.TLSSecretName.validate(at.Child("tlsSecretName"))...)
}

// maxParents bounds the Gateways of a tracker.
const maxParents = 8

func (g *GatewaySettings) validate(at *field.Path) (errs field.ErrorList) {
	if g == nil {
		return nil
	}
	parents := at.Child("parentRefs")
	switch n := len(g.ParentRefs); {
	case n == 0:
		errs = append(errs, field.Required(parents, "exposure.gateway.parentRefs must name a Gateway"))
	case n > maxParents:
		errs = append(errs, field.TooMany(parents, n, maxParents))
	}
	for i, ref := range g.ParentRefs {
		errs = append(errs, ref.validate(parents.Index(i))...)
	}
	return append(errs, annotations(at.Child("annotations"), g.Annotations)...)
}

func (r GatewayReference) validate(at *field.Path) (errs field.ErrorList) {
	if len(r.Name) > 253 || !secretName.MatchString(string(r.Name)) {
		errs = append(errs, field.Invalid(at.Child("name"), string(r.Name), "exposure.gateway.parentRefs.name must be the name of a Gateway: lower case letters, digits, - and ."))
	}
	if r.Namespace != "" && (len(r.Namespace) > 63 || !namespaceName.MatchString(string(r.Namespace))) {
		errs = append(errs, field.Invalid(at.Child("namespace"), string(r.Namespace), "exposure.gateway.parentRefs.namespace must be the name of a namespace, or empty"))
	}
	if r.SectionName != "" && (len(r.SectionName) > 253 || !secretName.MatchString(string(r.SectionName))) {
		errs = append(errs, field.Invalid(at.Child("sectionName"), string(r.SectionName), "exposure.gateway.parentRefs.sectionName must be the name of a listener: lower case letters, digits, - and ."))
	}
	if r.Port != nil {
		errs = append(errs, port(at.Child("port"), int32(*r.Port), "exposure.port")...)
	}
	return errs
}

// maxAnnotations bounds the annotations of one object that a stream asks for, and maxAnnotation the value of each.
const (
	maxAnnotations = 32
	maxAnnotation  = 4096
)

func annotations(at *field.Path, all map[string]AnnotationValue) (errs field.ErrorList) {
	if len(all) > maxAnnotations {
		errs = append(errs, field.TooMany(at, len(all), maxAnnotations))
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if utf8.RuneCountInString(string(all[key])) > maxAnnotation {
			errs = append(errs, field.TooLong(at.Key(key), string(all[key]), maxAnnotation))
		}
	}
	return errs
}

// valid is what CEL's isIP and isGlobalUnicast say.
func (a IPAddress) valid() bool {
	ip, err := netip.ParseAddr(string(a))
	return err == nil && ip.Zone() == "" && !ip.Is4In6() && ip.IsGlobalUnicast()
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$`)

func (h Host) valid() bool {
	switch {
	case h == "":
		return true
	case strings.Contains(string(h), ":"):
		ip, err := netip.ParseAddr(string(h))
		return err == nil && ip.Zone() == "" && !ip.Is4In6()
	}
	return len(h) <= 253 && hostName.MatchString(string(h))
}

package v1

import (
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate holds a stream to the rules of the CRD where there is no API server to do it. The messages
// are those of the CRD; each error names its field.
func (s *P2PStream) Validate() field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Subdomain(s.Name) {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), s.Name, msg))
	}
	return append(errs, s.Spec.validate(field.NewPath("spec"))...)
}

func (s *P2PStreamSpec) validate(at *field.Path) field.ErrorList {
	errs := s.Source.validate(at.Child("source"))
	if len(s.SwarmID) > 256 {
		errs = append(errs, field.TooLong(at.Child("swarmID"), s.SwarmID, 256))
	}
	if s.Tracker != nil {
		errs = append(errs, s.Tracker.validate(at.Child("tracker"))...)
	}
	if s.STUN != nil {
		errs = append(errs, s.STUN.validate(at.Child("stun"))...)
	}
	if s.Seeders != nil {
		errs = append(errs, s.Seeders.validate(at.Child("seeders"))...)
	}
	if s.Telemetry != nil && s.Telemetry.Interval != nil {
		if d := s.Telemetry.Interval.Duration; d < time.Second || d > time.Minute {
			errs = append(errs, field.Invalid(at.Child("telemetry", "interval"), d.String(), "telemetry.interval must be between 1s and 60s"))
		}
	}
	return errs
}

func (s *SourceSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if !s.URL.valid() {
		errs = append(errs, field.Invalid(at.Child("url"), string(s.URL), "source.url must be an absolute http or https URL, such as https://origin.example.com/live/master.m3u8"))
	}
	if s.SeederURL != "" && !s.SeederURL.valid() {
		errs = append(errs, field.Invalid(at.Child("seederURL"), string(s.SeederURL), "source.seederURL must be an absolute http or https URL, such as http://origin.media.svc/live/master.m3u8"))
	}
	if s.Format != "" {
		errs = append(errs, oneOf(at.Child("format"), s.Format, FormatDASH, FormatHLS)...)
	}
	for name, ref := range map[string]*SecretReference{"caSecretRef": s.CASecretRef, "headersSecretRef": s.HeadersSecretRef} {
		if ref != nil && ref.Name == "" {
			errs = append(errs, field.Required(at.Child(name, "name"), ""))
		}
	}
	return errs
}

func (u URL) valid() bool {
	if len(u) > 2048 {
		return false
	}
	p, err := url.ParseRequestURI(string(u))
	return err == nil && (p.Scheme == "http" || p.Scheme == "https") && p.Hostname() != ""
}

var webOrigin = regexp.MustCompile(`^https?://[^/?#@ ]+$`)

func (s *TrackerSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Replicas != nil && *s.Replicas != 1 {
		errs = append(errs, field.Invalid(at.Child("replicas"), *s.Replicas, "tracker.replicas must be 1: several trackers cannot share a swarm"))
	}
	if len(s.AllowedOrigins) > 64 {
		errs = append(errs, field.TooMany(at.Child("allowedOrigins"), len(s.AllowedOrigins), 64))
	}
	for i, o := range s.AllowedOrigins {
		if o != "*" && !webOrigin.MatchString(string(o)) {
			errs = append(errs, field.Invalid(at.Child("allowedOrigins").Index(i), string(o), "tracker.allowedOrigins must hold * or scheme://host[:port] without a path, such as https://intranet.example.com"))
		}
	}
	if e := s.Exposure; e != nil {
		errs = append(errs, e.validate(at.Child("exposure"))...)
	}
	return errs
}

func (s *STUNSpec) validate(at *field.Path) field.ErrorList {
	errs := between(at.Child("replicas"), s.Replicas, 1, 16, "stun.replicas must be between 1 and 16; to run none, set stun.enabled to false")
	if e := s.Exposure; e != nil {
		errs = append(errs, e.validate(at.Child("exposure"))...)
	}
	return errs
}

var (
	bitRate      = regexp.MustCompile(`^([1-9][0-9]{3,8}kbit|[1-9][0-9]{0,5}Mbit|[1-9][0-9]{0,2}Gbit)$`)
	minCacheSize = resource.MustParse("16Mi")
	maxCacheSize = resource.MustParse("64Gi")
)

func (s *SeedersSpec) validate(at *field.Path) field.ErrorList {
	errs := between(at.Child("replicas"), s.Replicas, 0, 64, "seeders.replicas must be between 0 and 64")
	errs = append(errs, between(at.Child("maxPeers"), s.MaxPeers, 1, 5000, "seeders.maxPeers must be between 1 and 5000")...)
	if len(s.Renditions) > 64 {
		errs = append(errs, field.TooMany(at.Child("renditions"), len(s.Renditions), 64))
	}
	if c := s.CacheSize; c != nil && (c.Cmp(minCacheSize) < 0 || c.Cmp(maxCacheSize) > 0) {
		errs = append(errs, field.Invalid(at.Child("cacheSize"), c.String(), "seeders.cacheSize must be between 16Mi and 64Gi"))
	}
	if s.Uplink != "" && !bitRate.MatchString(string(s.Uplink)) {
		errs = append(errs, field.Invalid(at.Child("uplink"), string(s.Uplink), "seeders.uplink must be a whole number and kbit, Mbit or Gbit, from 1Mbit to 999Gbit, such as 500Mbit"))
	}
	if e := s.Exposure; e != nil {
		errs = append(errs, e.validate(at.Child("exposure"))...)
	}
	return errs
}

func (e *TrackerExposure) validate(at *field.Path) field.ErrorList {
	errs := oneOf(at.Child("type"), e.Type, ExposureClusterIP, ExposureHostNetwork, ExposureLoadBalancer, ExposureNodePort)
	errs = append(errs, validateHost(at.Child("host"), e.Host)...)
	errs = append(errs, validateAddresses(at, "tracker.exposure", e.Type, e.Addresses)...)
	errs = append(errs, validateNodePort(at, "tracker.exposure", e.Type, e.NodePort)...)
	if e.ExternalTrafficPolicy != "" {
		errs = append(errs, oneOf(at.Child("externalTrafficPolicy"), e.ExternalTrafficPolicy, "Cluster", "Local")...)
		if e.Type != ExposureNodePort && e.Type != ExposureLoadBalancer {
			errs = append(errs, field.Invalid(at, string(e.Type), "tracker.exposure.externalTrafficPolicy needs tracker.exposure.type NodePort or LoadBalancer"))
		}
	}
	return errs
}

func (e *STUNExposure) validate(at *field.Path) field.ErrorList {
	errs := oneOf(at.Child("type"), e.Type, ExposureClusterIP, ExposureHostNetwork, ExposureLoadBalancer, ExposureNodePort)
	errs = append(errs, validateHost(at.Child("host"), e.Host)...)
	errs = append(errs, validateAddresses(at, "stun.exposure", e.Type, e.Addresses)...)
	return append(errs, validateNodePort(at, "stun.exposure", e.Type, e.NodePort)...)
}

func (e *SeederExposure) validate(at *field.Path) field.ErrorList {
	errs := oneOf(at.Child("type"), e.Type, ExposureClusterIP, ExposureHostNetwork, ExposureNodePort)
	return append(errs, validateAddresses(at, "seeders.exposure", e.Type, e.Addresses)...)
}

var host = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$`)

func validateHost(at *field.Path, h Host) field.ErrorList {
	if h == "" || (len(h) <= 253 && host.MatchString(string(h))) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, string(h), "exposure.host must be a host name or an IP address without scheme, port and path")}
}

func validateAddresses(at *field.Path, name string, t ExposureType, addresses []IPAddress) field.ErrorList {
	var errs field.ErrorList
	if len(addresses) > 0 && t != ExposureNodePort && t != ExposureHostNetwork {
		errs = append(errs, field.Invalid(at, string(t), name+".addresses needs "+name+".type NodePort or HostNetwork"))
	}
	if len(addresses) > 16 {
		errs = append(errs, field.TooMany(at.Child("addresses"), len(addresses), 16))
	}
	for i, a := range addresses {
		if ip, err := netip.ParseAddr(string(a)); err != nil || ip.Zone() != "" {
			errs = append(errs, field.Invalid(at.Child("addresses").Index(i), string(a), "exposure.addresses must hold IP addresses, such as 192.0.2.10"))
		}
	}
	return errs
}

func validateNodePort(at *field.Path, name string, t ExposureType, port *NodePort) field.ErrorList {
	if port == nil {
		return nil
	}
	var errs field.ErrorList
	if *port < 1 || *port > 65535 {
		errs = append(errs, field.Invalid(at.Child("nodePort"), int32(*port), "exposure.nodePort must be between 1 and 65535"))
	}
	if t != ExposureNodePort {
		errs = append(errs, field.Invalid(at, string(t), name+".nodePort needs "+name+".type NodePort"))
	}
	return errs
}

func between(at *field.Path, value *int32, low, high int32, message string) field.ErrorList {
	if value == nil || (*value >= low && *value <= high) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, *value, message)}
}

func oneOf[T ~string](at *field.Path, value T, valid ...T) field.ErrorList {
	for _, v := range valid {
		if value == v {
			return nil
		}
	}
	if value == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return field.ErrorList{field.NotSupported(at, value, valid)}
}

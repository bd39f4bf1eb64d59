package v1

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// MaxNameLength bounds the name of a stream, so that the names of its Services and the labels of its pods
// stay within the 63 characters of a DNS label.
const MaxNameLength = 45

var streamName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// Validate checks a stream against the rules of the CRD, for use without an API server. The messages are
// those of the CRD; each error names its field.
func (s *P2PStream) Validate() field.ErrorList {
	var errs field.ErrorList
	if len(s.Name) > MaxNameLength || !streamName.MatchString(s.Name) {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), s.Name, "metadata.name must be lower case letters, digits and -, start with a letter, end with a letter or digit, and have 45 characters at most: Services and pods are named after it"))
	}
	return append(errs, s.Spec.validate(field.NewPath("spec"))...)
}

func (s *P2PStreamSpec) validate(at *field.Path) field.ErrorList {
	errs := s.Source.validate(at.Child("source"))
	errs = append(errs, s.NetworkRef.validate(at.Child("networkRef"))...)
	if s.attached() && (s.Tracker != nil || s.STUN != nil || s.Sites != nil) {
		errs = append(errs, field.Invalid(at, string(s.NetworkRef.Name), "tracker, stun and sites are the network's: remove them, or networkRef"))
	}
	if utf8.RuneCountInString(s.SwarmID) > 256 {
		errs = append(errs, field.TooLong(at.Child("swarmID"), s.SwarmID, 256))
	}
	errs = append(errs, validateGenerations(at.Child("generations"), s.Generations)...)
	if s.Tracker != nil {
		errs = append(errs, s.Tracker.validate(at.Child("tracker"))...)
	}
	if s.STUN != nil {
		errs = append(errs, s.STUN.validate(at.Child("stun"))...)
	}
	if s.Seeders != nil {
		errs = append(errs, s.Seeders.validate(at.Child("seeders"))...)
	}
	if s.Sites != nil {
		errs = append(errs, s.Sites.validate(at.Child("sites"))...)
	}
	if s.Viewers != nil {
		errs = append(errs, s.Viewers.validate(at.Child("viewers"))...)
	}
	errs = append(errs, s.Pods.Validate(at.Child("pods"))...)
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
	errs = append(errs, set(at.Child("signedPaths"), s.SignedPaths, 16)...)
	for i, p := range s.SignedPaths {
		if len(p) > 1024 || !strings.HasPrefix(string(p), "/") || !strings.Contains(string(p), "*") {
			errs = append(errs, field.Invalid(at.Child("signedPaths").Index(i), string(p), "source.signedPaths must hold paths with an asterisk, such as /token/*/"))
		}
	}
	errs = append(errs, s.CASecretRef.validate(at.Child("caSecretRef", "name"))...)
	return append(errs, s.HeadersSecretRef.validate(at.Child("headersSecretRef", "name"))...)
}

func (s *SecretReference) validate(at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	if s.Name == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return s.Name.validate(at)
}

var secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

func (n SecretName) validate(at *field.Path) field.ErrorList {
	if n == "" || (len(n) <= 253 && secretName.MatchString(string(n))) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, string(n), "must be the name of a Secret: lower case letters, digits, - and .")}
}

func (u URL) valid() bool {
	if utf8.RuneCountInString(string(u)) > 2048 {
		return false
	}
	p, err := url.ParseRequestURI(string(u))
	return err == nil && (p.Scheme == "http" || p.Scheme == "https") && p.Hostname() != ""
}

var webOrigin = regexp.MustCompile(`^https?://[^/?#@ ]+$`)

func (o WebOrigin) valid() bool {
	return o == "*" || (utf8.RuneCountInString(string(o)) <= 300 && webOrigin.MatchString(string(o)) && URL(o).valid())
}

func (s *TrackerSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Replicas != nil && *s.Replicas != 1 {
		errs = append(errs, field.Invalid(at.Child("replicas"), *s.Replicas, "tracker.replicas must be 1: several trackers cannot share a swarm"))
	}
	errs = append(errs, set(at.Child("allowedOrigins"), s.AllowedOrigins, 64)...)
	for i, o := range s.AllowedOrigins {
		if !o.valid() {
			errs = append(errs, field.Invalid(at.Child("allowedOrigins").Index(i), string(o), "tracker.allowedOrigins must hold * or scheme://host[:port] without a path, such as https://intranet.example.com"))
		}
	}
	errs = append(errs, set(at.Child("candidateRanges"), s.CandidateRanges, 64)...)
	for i, r := range s.CandidateRanges {
		if !r.valid() {
			errs = append(errs, field.Invalid(at.Child("candidateRanges").Index(i), string(r), "tracker.candidateRanges must hold ranges of IP addresses, such as 10.0.0.0/8"))
		}
	}
	errs = append(errs, s.ClientAddress.validate(at.Child("clientAddress"))...)
	if s.Dashboard != "" {
		errs = append(errs, oneOf(at.Child("dashboard"), s.Dashboard, DashboardInternal, DashboardPublic)...)
	}
	if e := s.Exposure; e != nil {
		errs = append(errs, e.validate(at.Child("exposure"))...)
	}
	return append(errs, s.Resources.validate(at.Child("resources"))...)
}

// valid is what isCIDR of the API server accepts.
func (r AddressRange) valid() bool {
	p, err := netip.ParsePrefix(string(r))
	return err == nil && len(r) <= 49 && !p.Addr().Is4In6()
}

func (s *STUNSpec) validate(at *field.Path) field.ErrorList {
	errs := between(at.Child("replicas"), s.Replicas, 1, 16, "stun.replicas must be between 1 and 16; to run none, set stun.enabled to false")
	servers := at.Child("servers")
	if len(s.Servers) > maxSTUNServers {
		errs = append(errs, field.TooMany(servers, len(s.Servers), maxSTUNServers))
	}
	for i, server := range s.Servers {
		if len(server) > 300 || !stunServer.MatchString(string(server)) {
			errs = append(errs, field.Invalid(servers.Index(i), string(server), "stun.servers must hold STUN servers, such as stun:stun.example.com:3478"))
		}
		if slices.Contains(s.Servers[:i], server) {
			errs = append(errs, field.Duplicate(servers.Index(i), string(server)))
		}
	}
	if e := s.Exposure; e != nil {
		errs = append(errs, e.validate(at.Child("exposure"))...)
	}
	return append(errs, s.Resources.validate(at.Child("resources"))...)
}

const maxSTUNServers = 4

var stunServer = regexp.MustCompile(`^stun:([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[[][0-9A-Fa-f:.]+[]])(:[0-9]{1,5})?$`)

func validateGenerations(at *field.Path, all []Generation) (errs field.ErrorList) {
	for i, g := range all {
		if !slices.Contains(generations, g) {
			errs = append(errs, field.NotSupported(at.Index(i), g, generations))
		}
		if slices.Contains(all[:i], g) {
			errs = append(errs, field.Duplicate(at.Index(i), string(g)))
		}
	}
	return errs
}

var generations = []Generation{"v2.2", "v2.3", "v3"}

var (
	bitRate      = regexp.MustCompile(`^([1-9][0-9]{3,8}kbit|[1-9][0-9]{0,5}Mbit|[1-9][0-9]{0,2}Gbit)$`)
	minCacheSize = resource.MustParse("16Mi")
	maxCacheSize = resource.MustParse("64Gi")
)

func (s *SeedersSpec) validate(at *field.Path) field.ErrorList {
	errs := between(at.Child("replicas"), s.Replicas, 0, 64, "seeders.replicas must be between 0 and 64")
	if s.Replicas != nil && s.Scale != nil {
		errs = append(errs, field.Invalid(at, *s.Replicas, "seeders.replicas and seeders.scale exclude each other: remove scale to count seeders yourself or by an autoscaler, or replicas to let the operator count them"))
	}
	errs = append(errs, s.Scale.validate(at.Child("scale"))...)
	errs = append(errs, between(at.Child("maxPeers"), s.MaxPeers, 1, 5000, "seeders.maxPeers must be between 1 and 5000")...)
	errs = append(errs, set(at.Child("renditions"), s.Renditions, 64)...)
	for i, r := range s.Renditions {
		switch {
		case r == "":
			errs = append(errs, field.Required(at.Child("renditions").Index(i), ""))
		case utf8.RuneCountInString(r) > 128:
			errs = append(errs, field.TooLong(at.Child("renditions").Index(i), r, 128))
		}
	}
	if c := s.CacheSize; c != nil && (c.Cmp(minCacheSize) < 0 || c.Cmp(maxCacheSize) > 0) {
		size := *c // String caches its result in the quantity, and several goroutines may read a stream
		errs = append(errs, field.Invalid(at.Child("cacheSize"), size.String(), "seeders.cacheSize must be between 16Mi and 64Gi"))
	}
	if s.Uplink != "" && !bitRate.MatchString(string(s.Uplink)) {
		errs = append(errs, field.Invalid(at.Child("uplink"), string(s.Uplink), "seeders.uplink must be a whole number and kbit, Mbit or Gbit, from 1Mbit to 999Gbit, such as 500Mbit"))
	}
	if s.SuperSeeding != "" {
		errs = append(errs, oneOf(at.Child("superSeeding"), s.SuperSeeding, SuperSeedingAuto, SuperSeedingOff, SuperSeedingAlways)...)
	}
	if e := s.Exposure; e != nil {
		errs = append(errs, e.validate(at.Child("exposure"))...)
	}
	if len(s.NodeSelector) > 32 {
		errs = append(errs, field.TooMany(at.Child("nodeSelector"), len(s.NodeSelector), 32))
	}
	if len(s.Tolerations) > 32 {
		errs = append(errs, field.TooMany(at.Child("tolerations"), len(s.Tolerations), 32))
	}
	return append(errs, s.Resources.validate(at.Child("resources"))...)
}

func between(at *field.Path, value *int32, low, high int32, message string) field.ErrorList {
	if value == nil || (*value >= low && *value <= high) {
		return nil
	}
	return field.ErrorList{field.Invalid(at, *value, message)}
}

func oneOf[T ~string](at *field.Path, value T, valid ...T) field.ErrorList {
	if slices.Contains(valid, value) {
		return nil
	}
	if value == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return field.ErrorList{field.NotSupported(at, value, valid)}
}

// set checks the length of a list, and that each value occurs once.
func set[T comparable](at *field.Path, values []T, most int) field.ErrorList {
	var errs field.ErrorList
	if len(values) > most {
		errs = append(errs, field.TooMany(at, len(values), most))
	}
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			errs = append(errs, field.Duplicate(at.Index(i), v))
		}
	}
	return errs
}

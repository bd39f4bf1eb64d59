package v1

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DefaultSiteMapKey is the key of a map when mapRef names none.
const DefaultSiteMapKey = "sites.csv"

// KeyOrDefault is the key that holds the map.
func (r *SiteMapReference) KeyOrDefault() string {
	if r.Key == "" {
		return DefaultSiteMapKey
	}
	return string(r.Key)
}

// Bounds of lists.
const (
	maxSites          = 256
	maxSiteRanges     = 128
	maxTrustedProxies = 64
	maxRevoked        = 64
)

var (
	siteName     = regexp.MustCompile(`^[\p{L}\p{M}\p{N}\p{P}\p{S}]([\p{L}\p{M}\p{N}\p{P}\p{S} ]*[\p{L}\p{M}\p{N}\p{P}\p{S}])?$`)
	joinID       = regexp.MustCompile(`^[0-9a-f]{16}$`)
	configMapKey = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
)

// Validate checks the sites of a file that holds nothing else. The messages are those of the CRD.
func (s *SitesSpec) Validate() field.ErrorList { return s.validate(field.NewPath("sites")) }

func (s *SitesSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.List) > maxSites {
		errs = append(errs, field.TooMany(at.Child("list"), len(s.List), maxSites))
	}
	names := map[SiteName]bool{}
	for i, site := range s.List {
		errs = append(errs, site.validate(at.Child("list").Index(i))...)
		if names[site.Name] {
			errs = append(errs, field.Invalid(at.Child("list"), string(site.Name), "sites.list must not hold two sites of one name: put all ranges of a site into its cidrs"))
		}
		names[site.Name] = true
	}
	if m := s.Mask; m != nil {
		errs = append(errs, between(at.Child("mask", "ipv4"), m.IPv4, 8, 32, "sites.mask.ipv4 must be between 8 and 32")...)
		errs = append(errs, between(at.Child("mask", "ipv6"), m.IPv6, 16, 128, "sites.mask.ipv6 must be between 16 and 128")...)
	}
	errs = append(errs, between(at.Child("gateways"), s.Gateways, 1, 64, "sites.gateways must be between 1 and 64")...)
	errs = append(errs, between(at.Child("cellSize"), s.CellSize, 10, 50_000, "sites.cellSize must be between 10 and 50000")...)
	if s.Fallback != nil {
		errs = append(errs, s.Fallback.Peering.validate(at.Child("fallback", "peering"))...)
	}
	if r := s.MapRef; r != nil {
		errs = append(errs, (&ConfigMapReference{Name: r.Name}).validate(at.Child("mapRef", "name"))...)
		if k := string(r.Key); k != "" && (len(k) > 253 || !configMapKey.MatchString(k) || strings.HasPrefix(k, "..") || k == ".") {
			errs = append(errs, field.Invalid(at.Child("mapRef", "key"), k, "must be a key of a ConfigMap: letters, digits, -, _ and ."))
		}
	}
	return errs
}

func (s *SiteSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Name) > 64 || !utf8.ValidString(string(s.Name)) || !siteName.MatchString(string(s.Name)) {
		errs = append(errs, field.Invalid(at.Child("name"), string(s.Name), "sites.list.name must have 1 to 64 bytes that can be shown, and no space at its ends"))
	}
	if len(s.CIDRs) == 0 {
		errs = append(errs, field.Required(at.Child("cidrs"), ""))
	}
	errs = append(errs, set(at.Child("cidrs"), s.CIDRs, maxSiteRanges)...)
	for i, r := range s.CIDRs {
		if !AddressRange(r).valid() {
			errs = append(errs, field.Invalid(at.Child("cidrs").Index(i), string(r), "sites.list.cidrs must hold ranges of IP addresses, such as 10.1.0.0/16"))
		}
	}
	errs = append(errs, s.Peering.validate(at.Child("peering"))...)
	errs = append(errs, set(at.Child("revoked"), s.Revoked, maxRevoked)...)
	for i, id := range s.Revoked {
		if !joinID.MatchString(string(id)) {
			errs = append(errs, field.Invalid(at.Child("revoked").Index(i), string(id), "sites.list.revoked must hold ids of join files: 16 hexadecimal digits"))
		}
	}
	if s.Seeders != nil {
		errs = append(errs, s.Seeders.validate(at.Child("seeders"))...)
	}
	return append(errs, between(at.Child("gateways"), s.Gateways, 1, 64, "sites.list.gateways must be between 1 and 64")...)
}

func (s *SiteSeedersSpec) validate(at *field.Path) field.ErrorList {
	errs := between(at.Child("replicas"), s.Replicas, 0, 8, "sites.list.seeders.replicas must be between 0 and 8")
	switch n := len(s.NodeSelector); {
	case n == 0:
		errs = append(errs, field.Required(at.Child("nodeSelector"), "name a label of the nodes at the site"))
	case n > 32:
		errs = append(errs, field.TooMany(at.Child("nodeSelector"), n, 32))
	}
	if len(s.Tolerations) > 32 {
		errs = append(errs, field.TooMany(at.Child("tolerations"), len(s.Tolerations), 32))
	}
	return errs
}

func (p Peering) validate(at *field.Path) field.ErrorList {
	if p == "" {
		return nil
	}
	return oneOf(at, p, PeeringDisabled, PeeringFull, PeeringOff, PeeringReceiveOnly)
}

func (c *ClientAddressSpec) validate(at *field.Path) field.ErrorList {
	if c == nil {
		return nil
	}
	var errs field.ErrorList
	if c.From != "" {
		errs = append(errs, oneOf(at.Child("from"), c.From, ClientAddressForwarded, ClientAddressProxyProtocol, ClientAddressSocket)...)
	}
	if (c.From != "" && c.From != ClientAddressSocket) != (len(c.TrustedProxies) > 0) {
		errs = append(errs, field.Invalid(at, "", "tracker.clientAddress.trustedProxies and from Forwarded or ProxyProtocol need each other: the addresses of the proxies, and how they name the viewer"))
	}
	errs = append(errs, set(at.Child("trustedProxies"), c.TrustedProxies, maxTrustedProxies)...)
	for i, r := range c.TrustedProxies {
		if !AddressRange(r).valid() {
			errs = append(errs, field.Invalid(at.Child("trustedProxies").Index(i), string(r), "tracker.clientAddress.trustedProxies must hold ranges of IP addresses, such as 10.0.0.0/24"))
		}
	}
	return errs
}

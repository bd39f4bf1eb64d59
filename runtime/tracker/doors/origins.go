package doors

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Origins are the pages that may connect.
type Origins struct {
	all     bool
	allowed []string
	host    string // of the tracker, as the operator named it; empty: not named
}

// NewOrigins returns the origins of a configuration: allowed as "https://host"; an empty list or "*" allows all pages.
// externalURL is the tracker's own URL, empty if the operator did not name it.
func NewOrigins(allowed []string, externalURL string) Origins {
	o := Origins{all: len(allowed) == 0 || slices.Contains(allowed, "*"), allowed: allowed}
	if u, err := url.Parse(externalURL); err == nil { // the configuration's validation has parsed it before
		o.host = u.Host
	}
	return o
}

// All tells whether every page may connect.
func (o Origins) All() bool { return o.all }

// Listed returns true if the operator has listed the origin.
func (o Origins) Listed(origin string) bool {
	return slices.ContainsFunc(o.allowed, func(a string) bool { return strings.EqualFold(a, origin) })
}

// Allow tells whether a page of that origin may connect; host is the Host header of its request.
func (o Origins) Allow(origin, host string) bool {
	return o.all || o.Listed(origin) || o.OwnPage(origin, host)
}

// OwnPage tells whether a page of that origin is certainly the tracker's own.
func (o Origins) OwnPage(origin, host string) bool {
	_, own, _ := strings.Cut(origin, "://")
	if o.host != "" {
		return strings.EqualFold(own, o.host) // a proxy may have changed the Host header
	}
	return own != "" && strings.EqualFold(own, host) && o.Own(host)
}

// Own tells whether a host of a request is certainly the tracker's: the one that the operator named, or if none was named,
// an IP address or localhost. Any other name may be one that a foreign site has resolved to the tracker's address (DNS
// rebinding), in order to be taken for the tracker's own page.
func (o Origins) Own(host string) bool {
	if o.host != "" {
		return strings.EqualFold(host, o.host)
	}
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return strings.EqualFold(name, "localhost") ||
		slices.ContainsFunc(o.allowed, func(a string) bool {
			_, listed, _ := strings.Cut(a, "://")
			return strings.EqualFold(listed, host)
		})
}

package policies

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// MaxOrigins is how many origins a file can name.
	MaxOrigins = 256
	// MaxOriginBytes is the longest origin: the scheme, a host name of 253 bytes, and a port.
	MaxOriginBytes = 267
	maxHostBytes   = 253 // RFC 1035 §2.3.4, without the last dot
	// MaxNameBytes is the longest name of a Set.
	MaxNameBytes = 64
)

// ErrEveryOrigin is the error for "*": policies for all pages would show the addresses of a network to any page.
var ErrEveryOrigin = errors.New(`policies for all origins would show local addresses to every page; name the pages' origins instead of "*"`)

// Origin returns an origin, such as https://intranet.example.com, as browsers write it: in lower case, without the port that
// the scheme implies, and IPv6 addresses in their shortest form. Browsers compare origins with the entries of
// WebRtcLocalIpsAllowedUrls as text.
func Origin(text string) (string, error) {
	if text == "*" {
		return "", ErrEveryOrigin
	}
	if len(text) > MaxOriginBytes {
		return "", fmt.Errorf("%.40q… is longer than %d bytes", text, MaxOriginBytes)
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#") {
		return "", fmt.Errorf("%q is not an origin; use https://host or https://host:port", text)
	}
	return originOf(u, text, map[string]string{"https": "https", "http": "http"})
}

// TrackerOrigin returns the origin of the pages that a tracker serves, from any URL of it: with http, https, ws or wss.
func TrackerOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return "", fmt.Errorf("%.100q is not a URL; use https://tracker.example.com", text)
	}
	return originOf(u, text, map[string]string{"https": "https", "http": "http", "wss": "https", "ws": "http"})
}

// originOf returns the origin of a URL. schemes are those that it may have, with what they become.
func originOf(u *url.URL, text string, schemes map[string]string) (string, error) {
	scheme := schemes[strings.ToLower(u.Scheme)]
	if scheme == "" {
		return "", fmt.Errorf("%.100q has no scheme of a web page; use https://host", text)
	}
	host, err := hostOf(u.Hostname())
	if err != nil {
		return "", fmt.Errorf("%.100q: %w", text, err)
	}
	port := u.Port()
	if port == "" {
		if strings.HasSuffix(u.Host, ":") {
			return "", fmt.Errorf("%.100q has a colon without a port", text)
		}
		return scheme + "://" + host, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%.100q has a port outside of 1 to 65535", text)
	}
	if n == map[string]uint64{"https": 443, "http": 80}[scheme] {
		return scheme + "://" + host, nil
	}
	return scheme + "://" + host + ":" + strconv.FormatUint(n, 10), nil
}

// hostOf returns the host of a URL as browsers write it.
func hostOf(host string) (string, error) {
	if strings.Contains(host, ":") {
		a, err := netip.ParseAddr(host)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return "", errors.New("the host is not an IPv6 address that a page can have")
		}
		return "[" + a.String() + "]", nil
	}
	host = strings.ToLower(host)
	if len(host) > maxHostBytes {
		return "", fmt.Errorf("the host has more than %d bytes", maxHostBytes)
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, invalidInLabel) {
			return "", errors.New("the host is not a host name; write letters outside of ASCII as browsers do, such as xn--bcher-kva.example")
		}
	}
	return host, nil
}

// invalidInLabel is true for all characters but those of host names. Others may mean something else in the files or to the
// browsers: an asterisk would be a pattern.
func invalidInLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// Set is what files are made from.
type Set struct {
	name    string
	origins []string // as Origin returns them, sorted
}

// New returns a Set. name tells the deployment apart from others on the same machines: letters, digits, dots and hyphens, up
// to 64 bytes. It is part of file names and identifiers. An origin that is given twice counts once.
func New(name string, origins []string) (Set, error) {
	if name != Name(name) {
		return Set{}, fmt.Errorf("%.80q is not a name of up to %d lower-case letters, digits, dots and hyphens; use one like %s", name, MaxNameBytes, Name(name))
	}
	if len(origins) > MaxOrigins {
		return Set{}, fmt.Errorf("there are %d origins; the maximum is %d", len(origins), MaxOrigins)
	}
	s := Set{name: name}
	for _, text := range origins {
		origin, err := Origin(text)
		if err != nil {
			return Set{}, err
		}
		s.origins = append(s.origins, origin)
	}
	if len(s.origins) == 0 {
		return Set{}, errors.New("there is no origin of a page; use one like https://intranet.example.com")
	}
	slices.Sort(s.origins)
	s.origins = slices.Compact(s.origins)
	return s, nil
}

// Origins returns the origins.
func (s Set) Origins() []string { return slices.Clone(s.origins) }

// Name makes a name for New from any text, such as a stream's name.
func Name(text string) string {
	var b []byte
	for _, r := range strings.ToLower(text) {
		switch {
		case len(b) == MaxNameBytes:
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b = append(b, byte(r))
		case len(b) == 0 || b[len(b)-1] == '-' || b[len(b)-1] == '.':
		case r == '.':
			b = append(b, '.')
		default:
			b = append(b, '-')
		}
	}
	if name := strings.TrimRight(string(b), "-."); name != "" {
		return name
	}
	return "p2pstream"
}

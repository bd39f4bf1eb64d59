// Package validate has the checks that the configurations of all programs share,
// so that the same mistake gets the same message everywhere. Every error begins
// with the field's path in the JSON file, and gives an example that works. No
// check resolves a name, opens a file or sends a request: a configuration is
// validated where it is written as well as where it is used.
package validate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/redact"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// First returns the first error that is not nil.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Each checks every element of a list; an error names its index, from 0.
func Each(field string, values []string, check func(field, value string) error) error {
	for i, v := range values {
		if err := check(fmt.Sprintf("%s[%d]", field, i), v); err != nil {
			return err
		}
	}
	return nil
}

// Generations checks names of generations of the browser library.
func Generations(field string, names []string) error {
	if _, err := identity.ParseGenerations(names); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

// Optional accepts an unset value and checks others.
func Optional(field, value string, check func(field, value string) error) error {
	if value == "" {
		return nil
	}
	return check(field, value)
}

// HostPort returns a check for host:port with a port number; the host may be
// empty. The example is a value that works.
func HostPort(example string) func(field, value string) error {
	return func(field, value string) error {
		if _, port, ok := splitHostPort(value); !ok || port == "" {
			return fmt.Errorf("%s: %q is not host:port; use %q", field, value, example)
		}
		return nil
	}
}

// HTTP checks a URL that a browser could open.
func HTTP(field, value string) error {
	return urlOf(field, value, "an http or https URL; use https://host/path", "http", "https")
}

// WebSocket checks the URL of a tracker.
func WebSocket(field, value string) error {
	return urlOf(field, value, "a ws or wss URL; use wss://host:8000/announce", "ws", "wss")
}

func urlOf(field, value, want string, schemes ...string) error {
	u, err := url.Parse(value)
	if err == nil && u.Host != "" {
		for _, s := range schemes {
			if u.Scheme == s {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: %q is not %s", field, redact.URL(value), want)
}

// BaseURL checks an http or https URL that paths are appended to.
func BaseURL(field, value string) error {
	if err := HTTP(field, value); err != nil {
		return err
	}
	if u, err := url.Parse(value); err != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: has a query or a fragment; use https://host", field)
	}
	return nil
}

// The most patterns of signed paths that a program takes, and how long one can be, in bytes.
const (
	MaxSignedPaths     = 16
	MaxSignedPathBytes = 1 << 10
)

// Formats of a manifest.
const (
	FormatAuto = "Auto" // found in the manifest itself; so is an empty format
	FormatHLS  = "HLS"
	FormatDASH = "DASH"
)

// Format checks the format of a manifest.
func Format(field, value string) error {
	switch value {
	case "", FormatAuto, FormatHLS, FormatDASH:
		return nil
	}
	return fmt.Errorf("%s: %q is unknown; use %s, %s or %s", field, value, FormatAuto, FormatHLS, FormatDASH)
}

// SignedPaths checks starts of URL paths in which an asterisk stands for one element that a signature changes.
func SignedPaths(field string, patterns []string) error {
	if len(patterns) > MaxSignedPaths {
		return fmt.Errorf("%s: has more than %d patterns", field, MaxSignedPaths)
	}
	return Each(field, patterns, func(field, p string) error {
		switch {
		case len(p) > MaxSignedPathBytes:
			return fmt.Errorf("%s: has more than %d bytes", field, MaxSignedPathBytes)
		case !strings.HasPrefix(p, "/") || !strings.Contains(p, "*"):
			return fmt.Errorf("%s: %q is not a path with an asterisk; use one like /token/*/", field, p)
		}
		return nil
	})
}

// Origin checks a web origin, scheme, host and perhaps a port; "*" is any.
func Origin(field, value string) error {
	if value == "*" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: %q is not an origin; use https://host or *", field, value)
	}
	return nil
}

// JSONObject checks a JSON object; an unset value is valid. The example is one
// that works.
func JSONObject(field string, value json.RawMessage, example string) error {
	if len(value) == 0 {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(value, &object); err != nil {
		return fmt.Errorf("%s: not a JSON object: %w; use %s", field, err, example)
	}
	return nil
}

// STUN checks a STUN URI, stun:host or stun:host:port (RFC 7064).
func STUN(field, value string) error {
	rest, ok := strings.CutPrefix(value, "stun:")
	if ok && !strings.ContainsAny(rest, "/?# \t\r\n") {
		host, _, split := splitHostPort(rest)
		if split && host != "" {
			return nil
		}
	}
	return fmt.Errorf("%s: %q is not a STUN server; use stun:host:3478", field, value)
}

// splitHostPort splits host[:port] at its last colon; an IPv6 host is in brackets.
// ok is false for anything else, and for a port that is not a number.
func splitHostPort(value string) (host, port string, ok bool) {
	host = value
	colon := strings.LastIndexByte(value, ':')
	if colon > strings.LastIndexByte(value, ']') {
		host, port = value[:colon], value[colon+1:]
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", "", false
		}
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		inner, closed := strings.CutSuffix(inner, "]")
		_, err := netip.ParseAddr(inner)
		return host, port, closed && err == nil
	}
	return host, port, !strings.ContainsAny(host, ":[]")
}

// IP checks an IP address.
func IP(field, value string) error {
	if _, err := netip.ParseAddr(value); err != nil {
		return fmt.Errorf("%s: %q is not an IP address; use 192.0.2.10", field, value)
	}
	return nil
}

// CIDR checks a range of IP addresses.
func CIDR(field, value string) error {
	if _, err := netip.ParsePrefix(value); err != nil {
		return fmt.Errorf("%s: %q is not a range of addresses; use 10.0.0.0/8", field, value)
	}
	return nil
}

// NotNegative checks a number or a duration.
func NotNegative[T int | int64 | time.Duration](field string, value T) error {
	if value < 0 {
		return fmt.Errorf("%s: %v is negative", field, value)
	}
	return nil
}

// Between checks that a value is within its bounds, both included.
func Between[T cmp.Ordered](field string, value, low, high T) error {
	// Written so that a NaN is outside.
	if value >= low && value <= high {
		return nil
	}
	return fmt.Errorf("%s: %v is outside %v to %v", field, value, low, high)
}

// AtLeast checks a lower bound.
func AtLeast[T cmp.Ordered](field string, value, low T) error {
	if value >= low {
		return nil
	}
	return fmt.Errorf("%s: %v is below %v", field, value, low)
}

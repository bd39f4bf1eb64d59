package manifest

import (
	"errors"
	"fmt"
	"strings"
)

var errURL = errors.New("only http and https URLs with a host are supported")

// browserURL prints an absolute URL as a browser's responseURL does: scheme and
// host in lower case, no default port, dot segments gone, what must be escaped
// escaped and all else left alone, no fragment. Peers derive the swarm id from
// that text, so Go's own printing, which escapes more, will not do.
// Source: WHATWG URL Standard, for http and https.
func browserURL(raw string) (string, error) {
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	raw = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(raw)
	scheme, rest, ok := strings.Cut(raw, ":")
	scheme = strings.ToLower(scheme)
	if !ok || (scheme != "http" && scheme != "https") {
		return "", errURL
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	rest = strings.ReplaceAll(rest, `\`, "/")
	rest = strings.TrimLeft(rest, "/")
	authority, path, _ := strings.Cut(rest, "/")
	host, err := normalHost(authority, scheme)
	if err != nil {
		return "", err
	}
	out := scheme + "://" + host + normalPath(path)
	if hasQuery {
		out += "?" + escape(query, "\"#<>'")
	}
	return out, nil
}

func normalHost(authority, scheme string) (string, error) {
	user := ""
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, authority = authority[:at+1], authority[at+1:]
	}
	authority = strings.ToLower(authority)
	host, port := authority, ""
	if colon := strings.LastIndexByte(authority, ':'); colon > strings.LastIndexByte(authority, ']') {
		host, port = authority[:colon], authority[colon+1:]
	}
	// Colons and brackets belong to an IPv6 address in brackets and to nothing else.
	inner, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		inner, bracketed = strings.CutSuffix(inner, "]")
	}
	if host == "" || inner == "" || strings.ContainsAny(inner, " \"#%/<>?@\\^`{|}[]") || (!bracketed && strings.Contains(host, ":")) {
		return "", errURL
	}
	for _, c := range port {
		if c < '0' || c > '9' {
			return "", fmt.Errorf("port %q: %w", port, errURL)
		}
	}
	if port = strings.TrimLeft(port, "0"); port == "" || (scheme == "http" && port == "80") || (scheme == "https" && port == "443") {
		return user + host, nil
	}
	return user + host + ":" + port, nil
}

// normalPath takes a path without its first slash.
func normalPath(path string) string {
	segments := strings.Split(path, "/")
	kept := make([]string, 0, len(segments))
	for i, segment := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".":
			if last {
				kept = append(kept, "")
			}
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, escape(segment, "\"#<>?`{}"))
		}
	}
	return "/" + strings.Join(kept, "/")
}

// escape percent-encodes spaces, controls, everything beyond ASCII and the
// given characters. Escapes that are there stay.
func escape(text, also string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c <= ' ' || c >= 0x7F || strings.IndexByte(also, c) >= 0 {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// browserResolve resolves a Location header against the URL it came from and
// prints the result as browserURL does.
func browserResolve(base, ref string) (string, error) {
	ref = strings.TrimFunc(ref, func(r rune) bool { return r <= ' ' })
	if i := strings.IndexAny(ref, ":/?#\\"); i > 0 && ref[i] == ':' {
		return browserURL(ref)
	}
	ref = strings.ReplaceAll(ref, `\`, "/")
	scheme, rest, _ := strings.Cut(base, "://")
	authority, path, _ := strings.Cut(rest, "/")
	origin := scheme + "://" + authority
	path, _, _ = strings.Cut("/"+path, "?")
	switch {
	case strings.HasPrefix(ref, "//"):
		return browserURL(scheme + ":" + ref)
	case strings.HasPrefix(ref, "/"):
		return browserURL(origin + ref)
	case ref == "" || ref[0] == '#':
		return browserURL(base)
	case ref[0] == '?':
		return browserURL(origin + path + ref)
	}
	return browserURL(origin + path[:strings.LastIndexByte(path, '/')+1] + ref)
}

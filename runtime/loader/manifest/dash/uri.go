package dash

import (
	"regexp"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// uri is a URL in parts, without its escapes except in the query.
// Source: closure-uri in shaka-player 4.16.9, from RFC 3986 §5.2.
type uri struct{ scheme, user, domain, port, path, query, fragment string }

var uriPattern = regexp.MustCompile(`^(?:([^:/?#.]+):)?(?://(?:([^/?#]*)@)?([^/#?]*?)(?::([0-9]+))?(?:([/?#].*)|$))?`)

// parseURI takes a URL apart. A broken escape is an error, as it is for the player.
func parseURI(text string) (uri, error) {
	if len(text) > maxURLBytes {
		return uri{}, fail(ReasonTooLarge, "a URL of more than %d bytes", maxURLBytes)
	}
	text = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' {
			return -1 // no browser sends them
		}
		return r
	}, text)
	var u uri
	rest := text
	if m := uriPattern.FindStringSubmatchIndex(text); m != nil {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		u.scheme, u.user, u.domain, u.port = part(1), part(2), part(3), part(4)
		rest = text[m[1]:]
		if m[2*5] >= 0 {
			rest = text[m[2*5]:]
		}
	}
	rest, u.fragment, _ = strings.Cut(rest, "#")
	u.path, u.query, _ = strings.Cut(rest, "?")
	for _, p := range []struct {
		text *string
		keep string
	}{{&u.scheme, reserved}, {&u.user, ""}, {&u.domain, reserved}, {&u.path, reserved}, {&u.fragment, ""}} {
		decoded, ok := decodeURI(*p.text, p.keep)
		if !ok {
			return uri{}, fail(ReasonInvalid, "a URL with a broken escape")
		}
		*p.text = decoded
	}
	u.port = portText(u.port)
	return u, nil
}

// portText is the port as JavaScript prints the number.
func portText(port string) string {
	n, ok := identity.ParseNumber(port)
	if port == "" || !ok {
		return ""
	}
	return identity.FormatNumber(n)
}

// resolve resolves ref against u.
func (u uri) resolve(ref uri) uri {
	out := u
	if u.scheme == "data" {
		out = uri{}
	}
	overridden := ref.scheme != ""
	if overridden {
		out.scheme = ref.scheme
	} else {
		overridden = ref.user != ""
	}
	if overridden {
		out.user = ref.user
	} else {
		overridden = ref.domain != ""
	}
	if overridden {
		out.domain = ref.domain
	} else {
		overridden = ref.port != ""
	}
	path := ref.path
	if overridden {
		out.port = ref.port
	} else if overridden = ref.path != ""; overridden {
		if path[0] != '/' {
			if u.domain != "" && u.path == "" {
				path = "/" + path
			} else {
				path = out.path[:strings.LastIndexByte(out.path, '/')+1] + path
			}
		}
		path = withoutDots(path)
	}
	if overridden {
		out.path = path
	} else {
		overridden = ref.query != ""
	}
	if overridden {
		out.query = ref.query
	} else {
		overridden = ref.fragment != ""
	}
	if overridden {
		out.fragment = ref.fragment
	}
	return out
}

// withoutDots removes "." and "..".
func withoutDots(path string) string {
	if path == ".." || path == "." {
		return ""
	}
	if !strings.Contains(path, "./") && !strings.Contains(path, "/.") {
		return path
	}
	leading := strings.HasPrefix(path, "/")
	segments := strings.Split(path, "/")
	var out []string
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".":
			if leading && last {
				out = append(out, "")
			}
		case "..":
			if len(out) > 1 || (len(out) == 1 && out[0] != "") {
				out = out[:len(out)-1]
			}
			if leading && last {
				out = append(out, "")
			}
		default:
			out = append(out, segment)
			leading = true
		}
	}
	return strings.Join(out, "/")
}

// String prints the URL with the escapes that it needs.
func (u uri) String() string {
	var b strings.Builder
	if u.scheme != "" {
		b.WriteString(encodeURI(u.scheme, "#/?@") + ":")
	}
	if u.domain != "" {
		b.WriteString("//")
		if u.user != "" {
			b.WriteString(encodeURI(u.user, "#/?@") + "@")
		}
		b.WriteString(encodeURI(u.domain, reserved))
		if u.port != "" {
			b.WriteString(":" + u.port)
		}
	}
	if u.path != "" {
		also := "#?:"
		if u.path[0] == '/' {
			also = "#?"
		} else if u.domain != "" {
			b.WriteByte('/')
		}
		b.WriteString(encodeURI(u.path, also))
	}
	if u.query != "" {
		b.WriteString("?" + u.query)
	}
	if u.fragment != "" {
		b.WriteString("#" + escapeURI(u.fragment, "#"))
	}
	return b.String()
}

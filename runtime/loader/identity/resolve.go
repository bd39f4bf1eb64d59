package identity

import "strings"

// ResolveURL resolves a playlist's URI against the URL it was loaded from, the
// way hls.js does: no escaping, no change of letter case, but dot segments are
// removed even from absolute URIs. The result is the browser's runtime id.
// Source: hls.js 1.7.4 (url-toolkit, always normalising).
func ResolveURL(base, ref string) string {
	ref = trimSpace(ref)
	b := splitURL(trimSpace(base))
	if ref == "" {
		b.path = normalizePath(b.path)
		return b.join()
	}
	r := splitURL(ref)
	if r.scheme != "" {
		r.path = normalizePath(r.path)
		return r.join()
	}
	if b.host == "" && b.path != "" && b.path[0] != '/' {
		// A base without host and slash: what stands before the first slash is
		// taken for the host.
		slash := strings.IndexAny(b.path, "/?#")
		if slash < 0 {
			slash = len(b.path)
		}
		b.host, b.path = b.path[:slash], b.path[slash:]
	}
	if b.host != "" && b.path == "" {
		b.path = "/"
	}
	out := urlParts{scheme: b.scheme, host: r.host, params: r.params, query: r.query, fragment: r.fragment}
	switch {
	case r.host != "" || strings.HasPrefix(r.path, "/"):
		if r.host == "" {
			out.host = b.host
		}
		out.path = normalizePath(r.path)
	case r.path == "":
		out.host, out.path = b.host, b.path
		if r.params == "" {
			out.params = b.params
			if r.query == "" {
				out.query = b.query
			}
		}
	default:
		out.host = b.host
		out.path = normalizePath(b.path[:strings.LastIndexByte(b.path, '/')+1] + r.path)
	}
	return out.join()
}

// urlParts are the pieces of a URL with their own punctuation, so that joining
// them gives the text back.
type urlParts struct{ scheme, host, path, params, query, fragment string }

func (u urlParts) join() string {
	return u.scheme + u.host + u.path + u.params + u.query + u.fragment
}

func splitURL(s string) urlParts {
	var u urlParts
	if i := strings.IndexByte(s, ':'); i > 0 && isScheme(s[:i]) {
		u.scheme, s = s[:i+1], s[i+1:]
	}
	if strings.HasPrefix(s, "//") {
		end := strings.IndexAny(s[2:], "/?#")
		if end < 0 {
			u.host, s = s, ""
		} else {
			u.host, s = s[:end+2], s[end+2:]
		}
	}
	if i := strings.IndexByte(s, '#'); i >= 0 {
		u.fragment, s = s[i:], s[:i]
	}
	if i := strings.IndexByte(s, '?'); i >= 0 {
		u.query, s = s[i:], s[:i]
	}
	// Only the last path segment may carry parameters.
	if i := strings.IndexByte(s[strings.LastIndexByte(s, '/')+1:], ';'); i >= 0 {
		i += strings.LastIndexByte(s, '/') + 1
		u.params, s = s[i:], s[:i]
	}
	u.path = s
	return u
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// normalizePath removes "." and "<segment>/.." behind a slash. What stands
// before the first slash is never touched, and ".." above the root stays.
func normalizePath(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path, "/")
	kept := segments[:1:1]
	for i, segment := range segments[1:] {
		last := i == len(segments)-2
		switch {
		case segment == ".":
			if last {
				kept = append(kept, "")
			}
		case segment == ".." && len(kept) > 1 && kept[len(kept)-1] != "..":
			kept = kept[:len(kept)-1]
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, segment)
		}
	}
	return strings.Join(kept, "/")
}

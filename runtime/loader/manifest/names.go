package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// namer names segments by what stays when their URLs are signed anew: the URL
// without its query, the number, and the rendition. The number is needed because
// a query can be all that tells one segment of a playlist from the next, and the
// rendition because it can be all that tells two renditions apart.
type namer struct {
	scope string // of the rendition; empty if it has no identity: then URLs are names
	paths []string
}

func newNamer(r Rendition) namer {
	n := namer{paths: r.paths}
	identity := r.ShortID
	if identity == "" {
		identity = r.Written.ID
	}
	if identity == "" {
		return n
	}
	uri, _ := n.plain(r.URI)
	digest := sha256.Sum256([]byte(string(r.Type) + "\x00" + identity + "\x00" + r.Name + "\x00" + uri))
	n.scope = hex.EncodeToString(digest[:6])
	return n
}

// name is empty if the URL itself is the name.
func (n namer) name(url string, part *ByteRange, sequence int64) string {
	if n.scope == "" {
		return ""
	}
	plain, signed := n.plain(url)
	if !signed {
		return ""
	}
	return Resource{URL: plain, Range: part}.Key() + "|" + n.scope + "|" + strconv.FormatInt(sequence, 10)
}

// plain takes off what a signature can be in, and tells whether there was any.
func (n namer) plain(url string) (plain string, signed bool) {
	plain = url
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		plain = url[:i]
		signed = url[i] == '?'
	}
	for _, pattern := range n.paths {
		if out, ok := withoutPrefix(plain, pattern); ok {
			return out, true
		}
	}
	return plain, signed
}

// withoutPrefix puts pattern in the place of what it matches at the start of a
// URL's path. An asterisk in it stands for one element of the path.
func withoutPrefix(url, pattern string) (string, bool) {
	host := strings.Index(url, "://")
	if host < 0 {
		return "", false
	}
	slash := strings.IndexByte(url[host+3:], '/')
	if slash < 0 {
		return "", false
	}
	slash += host + 3
	path := url[slash:]
	for rest := pattern; rest != ""; {
		literal, after, asterisk := strings.Cut(rest, "*")
		var ok bool
		if path, ok = strings.CutPrefix(path, literal); !ok {
			return "", false
		}
		if asterisk {
			end := strings.IndexByte(path, '/')
			if end <= 0 {
				return "", false
			}
			path = path[end:]
		}
		rest = after
	}
	return url[:slash] + pattern + path, true
}

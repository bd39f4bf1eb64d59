// Package redact keeps credentials out of text for people: log lines, error
// messages, statistics.
package redact

import "strings"

// URL drops the query, the fragment and the user of a URL, each of which may be
// a credential. It works on text, so that invalid URLs are safe too.
func URL(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		text = text[:i]
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	host, path, slash := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	if slash {
		path = "/" + path
	}
	return scheme + "://" + host + path
}

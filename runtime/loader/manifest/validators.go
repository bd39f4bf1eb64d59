package manifest

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxTagBytes bounds an ETag that is kept and sent back: packagers use a few dozen bytes.
const maxTagBytes = 256

// validators make the next request conditional.
type validators struct {
	etag, lastModified string
	// whole asks for the whole text, whatever is known of it: also for that of the MPD behind a playlist.
	whole bool
}

// conditional tells whether an origin may answer that nothing has changed.
func (v validators) conditional() bool { return !v.whole && (v.etag != "" || v.lastModified != "") }

// set makes a request conditional.
func (v validators) set(h http.Header) {
	if !v.conditional() {
		return
	}
	if v.etag != "" {
		h.Set("If-None-Match", v.etag)
	}
	if v.lastModified != "" {
		h.Set("If-Modified-Since", v.lastModified)
	}
}

// Why the validators of an answer are not used.
const (
	tagTooLong   = "tooLong"
	tagMalformed = "malformed"
	tagReused    = "reused" // another text came under the ETag of the last one
	tagUntrue    = "untrue" // the origin said "not modified" of a text that had changed
)

var tagReasons = []string{tagTooLong, tagMalformed, tagReused, tagUntrue}

// validatorsOf leaves out what must not be sent back, and a modification time within the last second of the answer's own:
// the playlist may change again in that same second, unseen. Source: RFC 9110 §8.8.2.2.
func validatorsOf(h http.Header, refused *prometheus.CounterVec) validators {
	var v validators
	switch tag := h.Get("ETag"); {
	case tag == "":
	case len(tag) > maxTagBytes:
		refused.WithLabelValues(tagTooLong).Inc()
	case !isEntityTag(tag):
		refused.WithLabelValues(tagMalformed).Inc()
	default:
		v.etag = tag
	}
	modified, err1 := http.ParseTime(h.Get("Last-Modified"))
	date, err2 := http.ParseTime(h.Get("Date"))
	if err1 == nil && err2 == nil && date.Sub(modified) > time.Second {
		v.lastModified = h.Get("Last-Modified")
	}
	return v
}

// isEntityTag tells whether a text is one entity tag. Sent back, an asterisk would mean any text, and a list any of several.
// Source: RFC 9110 §8.8.3.
func isEntityTag(tag string) bool {
	if len(tag) > 2 && tag[:2] == "W/" {
		tag = tag[2:]
	}
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return false
	}
	for _, c := range []byte(tag[1 : len(tag)-1]) {
		if c <= ' ' || c == '"' || c == 0x7f {
			return false
		}
	}
	return true
}

package manifest

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Reason says in one word why something from the origin cannot be used.
type Reason string

// Reasons of an Error.
const (
	// ReasonUnreachable: no connection, no name, TLS failure, connection lost.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonFiles: a file of headers or of certificate authorities that cannot
	// be used, so that nothing was asked.
	ReasonFiles Reason = "UnusableFiles"
	// ReasonTimeout: the request or the whole transfer took too long.
	ReasonTimeout Reason = "Timeout"
	// ReasonStalled: no byte arrived for the stall timeout.
	ReasonStalled Reason = "Stalled"
	// ReasonCanceled: the caller gave up.
	ReasonCanceled Reason = "Canceled"
	// ReasonStatus: an HTTP status that is no success (Error.Status).
	ReasonStatus Reason = "Status"
	// ReasonRedirect: too many redirects.
	ReasonRedirect Reason = "TooManyRedirects"
	// ReasonScheme: a URL that is neither http nor https, or no URL at all.
	ReasonScheme Reason = "ForbiddenURL"
	// ReasonTooLarge: a body, a line or a count beyond its bound.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonNotPlaylist: the body is no HLS playlist at all.
	ReasonNotPlaylist Reason = "NotAPlaylist"
	// ReasonInvalid: an HLS playlist that no player could use.
	ReasonInvalid Reason = "InvalidPlaylist"
	// ReasonWentBackwards: an older state of a live playlist was served.
	ReasonWentBackwards Reason = "WentBackwards"
	// ReasonNotAdvancing: a live playlist has had no new segment for three
	// target durations.
	ReasonNotAdvancing Reason = "NotAdvancing"
	// ReasonEncoded: a segment came with a Content-Encoding.
	ReasonEncoded Reason = "ContentEncoding"
	// ReasonTruncated: a body ended before its announced length, or was empty.
	ReasonTruncated Reason = "Truncated"
	// ReasonNoLength: a body whose end cannot be told from a lost connection: no
	// length, no chunks, and TLS without close_notify or, with SecondLook, no TLS.
	ReasonNoLength Reason = "UnknownLength"
	// ReasonRangeIgnored: the origin answered a Range request with everything.
	ReasonRangeIgnored Reason = "RangeIgnored"
	// ReasonRangeRefused: HTTP 416, or a range other than the requested one.
	ReasonRangeRefused Reason = "RangeNotSatisfiable"
	// ReasonSizeChanged: the total is not what it was before.
	ReasonSizeChanged Reason = "SizeChanged"
	// ReasonGap: the playlist says that the origin lacks this segment.
	ReasonGap Reason = "Gap"
)

// reasons are those that a load or a fetch can fail for.
var reasons = []Reason{
	ReasonUnreachable, ReasonFiles, ReasonTimeout, ReasonStalled, ReasonCanceled, ReasonStatus, ReasonRedirect, ReasonScheme,
	ReasonTooLarge, ReasonNotPlaylist, ReasonInvalid, ReasonWentBackwards, ReasonNotAdvancing, ReasonEncoded, ReasonTruncated,
	ReasonNoLength, ReasonRangeIgnored, ReasonRangeRefused, ReasonSizeChanged, ReasonGap,
}

// Error is the one error type of this package. Its text never carries the query
// of a URL, which may hold a token.
type Error struct {
	// Reason is the cause in one word.
	Reason Reason
	// URL is what was asked for, without query and user.
	URL string
	// Status is the HTTP status, 0 if none came.
	Status int
	// RetryAfter is how long the origin asks not to be asked again for this, by
	// its Retry-After with status 429 or 503; at most a minute, 0 if it says
	// nothing. Source: RFC 9110 §10.2.3.
	RetryAfter time.Duration
	// Err is the detail; may be nil.
	Err error
}

// Error says the reason, the URL and the detail.
func (e *Error) Error() string {
	text := string(e.Reason)
	if e.URL != "" {
		text += " " + e.URL
	}
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the detail.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf returns the reason of an error of this package, or empty.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// RetryAfter returns for how long an error of this package asks to wait, at least,
// before the same is asked of the origin again; 0 if it does not say.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

func fail(reason Reason, rawURL string, err error) *Error {
	return &Error{Reason: reason, URL: withoutSecrets(rawURL), Err: err}
}

// withoutSecrets drops what may be a credential from a URL that goes into a log
// line, and bounds its length.
func withoutSecrets(rawURL string) string {
	const longest = 200
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	text := u.String()
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	return text
}

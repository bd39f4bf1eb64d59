package dash

import (
	"errors"
	"fmt"
)

// Reason says in one word why an MPD or a segment index cannot be used.
type Reason string

// Reasons of an Error.
const (
	// ReasonTooLarge: a body, a depth or a count beyond its bound.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonNotMPD: the body is no MPD at all.
	ReasonNotMPD Reason = "NotAManifest"
	// ReasonInvalid: an MPD that no player could use.
	ReasonInvalid Reason = "InvalidManifest"
	// ReasonDocumentType: the MPD has a document type, which could declare entities.
	ReasonDocumentType Reason = "DocumentType"
	// ReasonRemote: a part of the MPD is in another document (xlink). Source: ISO/IEC 23009-1 §5.5.
	ReasonRemote Reason = "RemoteElement"
	// ReasonScheme: a URL that is neither http nor https, or no URL at all.
	ReasonScheme Reason = "ForbiddenURL"
	// ReasonIndex: a segment index that is none, or whose sizes cannot be true.
	ReasonIndex Reason = "InvalidIndex"
	// ReasonNoIndex: the index of this representation was not given, or is of a kind that is not read (WebM).
	ReasonNoIndex Reason = "NoIndex"
	// ReasonUnsupported: what this package does not do, though players may.
	ReasonUnsupported Reason = "Unsupported"
	// ReasonUnknown: the presentation has no such rendition.
	ReasonUnknown Reason = "UnknownRendition"
)

// Error is the one error type of this package. Its text never carries a URL, which may hold a token.
type Error struct {
	// Reason is the cause in one word.
	Reason Reason
	// Err is the detail.
	Err error
}

// Error says the reason and the detail.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Err.Error() }

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

func fail(reason Reason, format string, a ...any) *Error {
	return &Error{Reason: reason, Err: fmt.Errorf(format, a...)}
}

// clip shortens text of the manifest for an error.
func clip(text string) string {
	const longest = 40
	if len(text) > longest {
		return text[:longest] + "…"
	}
	return text
}

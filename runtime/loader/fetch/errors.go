package fetch

import (
	"errors"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Permanent tells whether the same request would fail again.
func Permanent(err error) bool {
	var e *manifest.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Reason {
	case manifest.ReasonStatus:
		return e.Status/100 == 4 && e.Status != http.StatusRequestTimeout &&
			e.Status != http.StatusTooEarly && e.Status != http.StatusTooManyRequests
	case manifest.ReasonScheme, manifest.ReasonRedirect, manifest.ReasonTooLarge, manifest.ReasonEncoded, manifest.ReasonNoLength:
		return true // but not what concerns ranges: the next request is for the whole segment
	}
	return false
}

// keepsBytes tells whether an error says nothing about the bytes held: the same
// request may succeed later.
func keepsBytes(err error) bool {
	var e *manifest.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Reason {
	case manifest.ReasonUnreachable, manifest.ReasonTimeout, manifest.ReasonStalled, manifest.ReasonCanceled:
		return true
	case manifest.ReasonStatus:
		return !Permanent(err)
	}
	return false
}

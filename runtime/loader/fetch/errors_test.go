package fetch

import (
	"errors"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

func TestPermanentErrors(t *testing.T) {
	for want, errs := range map[bool][]error{
		true: {&manifest.Error{Reason: manifest.ReasonStatus, Status: 404}, &manifest.Error{Reason: manifest.ReasonStatus, Status: 403},
			&manifest.Error{Reason: manifest.ReasonEncoded}, &manifest.Error{Reason: manifest.ReasonTooLarge}},
		false: {errors.New("other"), &manifest.Error{Reason: manifest.ReasonStatus, Status: 503}, &manifest.Error{Reason: manifest.ReasonStatus, Status: 429},
			&manifest.Error{Reason: manifest.ReasonUnreachable}, &manifest.Error{Reason: manifest.ReasonRangeIgnored}, &manifest.Error{Reason: manifest.ReasonTruncated}},
	} {
		for _, err := range errs {
			if got := Permanent(err); got != want {
				t.Errorf("%v: %v, want %v", err, got, want)
			}
		}
	}
}

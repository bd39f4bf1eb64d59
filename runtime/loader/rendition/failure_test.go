package rendition

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// TestWhatAFailureSays is what the core learns of an error.
func TestWhatAFailureSays(t *testing.T) {
	status := func(code int) error {
		return fmt.Errorf("reading: %w", &manifest.Error{Reason: manifest.ReasonStatus, Status: code, RetryAfter: time.Second})
	}
	for name, tt := range map[string]struct {
		err  error
		want core.Failure
	}{
		"forbidden": {status(403), core.Failure{Refused: true, Permanent: true, RetryAfter: time.Second}},
		"not found": {status(404), core.Failure{Refused: true, Lacking: true, Permanent: true, RetryAfter: time.Second}},
		"gone":      {status(410), core.Failure{Refused: true, Lacking: true, Permanent: true, RetryAfter: time.Second}},
		"broken":    {status(500), core.Failure{RetryAfter: time.Second}},
		"too large": {&manifest.Error{Reason: manifest.ReasonTooLarge}, core.Failure{Permanent: true, TooLarge: true}},
		"canceled":  {&manifest.Error{Reason: manifest.ReasonCanceled}, core.Failure{Ended: true}},
		"stopped":   {context.Canceled, core.Failure{Ended: true}},
		"no reason": {errors.New("x"), core.Failure{}},
	} {
		got := failureOf(tt.err)
		if tt.want.Err = tt.err; got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := failureOf(nil); got != (core.Failure{}) {
		t.Errorf("a success: %+v", got)
	}
}

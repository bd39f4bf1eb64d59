package interop

import (
	"testing"

	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// verifySegments compares every segment that tabs accepted with the bytes that the origin serves now, by SHA-256.
func verifySegments(t testing.TB, reports ...browser.Report) {
	t.Helper()
	var checked int
	var err error
	pool.Start(func() { checked, err = browser.VerifySegments(t.Context(), nil, reports...) })
	if err != nil {
		t.Error(err)
	}
	if checked == 0 {
		t.Error("no segment was there to check")
	}
}

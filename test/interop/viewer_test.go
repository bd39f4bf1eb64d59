package interop

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// goViewer is `p2pstream viewer --headless` as a process.
type goViewer struct{ *process }

// launchViewer starts headless viewers on the stream's own settings, verifying every segment.
func launchViewer(t testing.TB, s *stream, args ...string) *goViewer {
	t.Helper()
	all := append([]string{"viewer", "--config-url", s.http("/v1/config"), "--headless", "--json", "--verify",
		"--loopback", "--log-level", "error"}, args...)
	return &goViewer{launch(t, all...)}
}

// wait waits for the end and returns the report.
func (v *goViewer) wait(t testing.TB, within time.Duration) viewer.Report {
	t.Helper()
	select {
	case <-v.done:
	case <-time.After(within):
		t.Fatalf("the viewer did not end within %s", within)
	}
	out := []byte(v.log.String())
	begin := bytes.IndexByte(out, '{')
	if begin < 0 {
		t.Fatalf("the viewer printed no report:\n%s", out)
	}
	var r viewer.Report
	if err := json.Unmarshal(out[begin:], &r); err != nil {
		t.Fatalf("decoding report: %v\n%s", err, out)
	}
	t.Logf("%s", out[begin:])
	return r
}

package interop

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// TestReportsTravelOverThePagesSocket: the script reports over the WebSocket that p2p-media-loader has to the tracker. The
// library ignores the answers and keeps its socket, so each page has one, and none of its reports opens a connection.
func TestReportsTravelOverThePagesSocket(t *testing.T) {
	t.Parallel()
	pool.Take(t, 2)
	ctx := t.Context()
	s := startStream(t, liveAndVOD["live"], nil)
	s.tracker.Kill()
	admin := lab.FreeAddress(t)
	s.tracker = start(t, program.Spec{Command: "tracker", Admin: admin, Args: []string{
		"--listen", s.address, "--admin-listen", admin, "--stream-source", s.source, "--swarm-id", lab.SwarmID,
		"--stun", "stun:" + s.stun, "--seeder-token-file", s.token}})
	s.startSeeder(t)
	b := sharedBrowser(t)
	before := s.tracker.Metrics(t)
	openTabs(t, 2, func() *browser.Tab {
		return b.OpenHLSFrom(ctx, s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})
	const accepted, posted = "p2pstream_viewerapi_reports_total", "p2pstream_viewerapi_requests_total"
	lab.Eventually(t, 60*time.Second, "six reports of pages", func() error {
		now := s.tracker.Metrics(t)
		over := now.Sum(accepted, `result="Accepted"`) - before.Sum(accepted, `result="Accepted"`) -
			(now.Sum(posted, `path="/v1/telemetry"`, `status="200"`) - before.Sum(posted, `path="/v1/telemetry"`, `status="200"`))
		if st, err := s.stats(t); err != nil || st.Reporting < 2 || over < 6 {
			return fmt.Errorf("%d pages report, %v reports over sockets: %w", st.Reporting, over, err)
		}
		return nil
	})
	m := s.tracker.Metrics(t)
	if opened := m.Sum("p2pstream_tracker_sockets_opened_total") - before.Sum("p2pstream_tracker_sockets_opened_total"); opened != 2 {
		t.Errorf("two pages opened %v sockets", opened)
	}
	if refused := m.Sum(accepted) - m.Sum(accepted, `result="Accepted"`); refused != 0 {
		t.Errorf("%v reports were refused", refused)
	}
}

package tracker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
)

// claims are sessions of a stranger at one address.
type claims struct {
	reporter
	sessions []string
}

// newClaims asks for sessions as pages do.
func newClaims(t *testing.T, s *scene, n int) *claims {
	c := &claims{reporter: reporter{client: httpClient(t, newOrigin()), url: s.HTTP("/v1/telemetry")}}
	for range n {
		resp, err := c.client.Get(s.HTTP("/v1/config"))
		if err != nil {
			t.Fatal(err)
		}
		var cfg struct{ Telemetry struct{ Session string } }
		err = json.NewDecoder(resp.Body).Decode(&cfg)
		_ = resp.Body.Close()
		if err != nil || cfg.Telemetry.Session == "" {
			t.Fatal(resp.Status, err)
		}
		c.sessions = append(c.sessions, cfg.Telemetry.Session)
	}
	return c
}

// claim reports as much as it can for each session, in steps of what the tracker once took in one report.
func (c *claims) claim(t *testing.T, reports int) {
	var all sync.WaitGroup
	for _, session := range c.sessions {
		all.Go(func() {
			r := c.reporter
			r.session = session
			for i := range reports {
				r.report(t, changes{"sequence": i + 1, "counters": counters(0, 0, (i+1)*60<<20, 0, 0)})
			}
		})
	}
	all.Wait()
}

// TestClaims: a stranger without sockets changes the figures by nothing, and one with sockets by no more than as many
// viewers, and what they could have received. One address once claimed 1,295 viewers and 87 GB in five seconds.
func TestClaims(t *testing.T) {
	s := closed(t, func(c *config.Config) { c.Limits.RequestBurst = 10_000 })
	viewers := bystander.Watch(t, s.Stream, 2)
	began := time.Now()
	before := s.fresh(t)
	strangers := newClaims(t, s, 1000)
	s.counted(t, 1000, func() { strangers.claim(t, 3) }, "p2pstream_viewerapi_reports_total", fmt.Sprintf("result=%q", telemetry.NoSocket))
	after := s.fresh(t)
	// What the two bystanders receive meanwhile is far below one claim.
	honest := func() int64 { return int64(2 * 2 * maxBits / 8 * (time.Since(began).Seconds() + 60)) }
	t.Logf("1000 sessions without sockets: %d viewers, %d bytes more", after.Viewers-before.Viewers,
		after.Offload.Totals.Received()-before.Offload.Totals.Received())
	if after.Viewers != before.Viewers || after.Sessions != before.Sessions ||
		after.Offload.Totals.Received()-before.Offload.Totals.Received() > honest() {
		t.Errorf("strangers without sockets: %d viewers, %d sessions, %+v; before %d, %d, %+v", after.Viewers, after.Sessions,
			after.Offload.Totals, before.Viewers, before.Sessions, before.Offload.Totals)
	}

	const n = 20
	withSockets := newClaims(t, s, n)
	for _, session := range withSockets.sessions {
		ws, resp, err := upgradeAt(s.Listen, newOrigin(), "/announce?t="+session)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(err, resp)
		}
		t.Cleanup(func() { _ = ws.Close() })
	}
	s.counted(t, 1<<20, func() { withSockets.claim(t, 4) }, "p2pstream_viewerapi_excess_bytes_total")
	last := s.fresh(t)
	possible := honest() + int64(n*2*maxBits/8*(time.Since(began).Seconds()+10+30))
	more := last.Offload.Totals.Received() - after.Offload.Totals.Received()
	t.Logf("%d sessions with sockets: %d viewers, %d bytes more, %d are possible", n, last.Viewers-after.Viewers, more, possible)
	if last.Viewers > before.Viewers+n || more > possible {
		t.Errorf("%d sockets: %d viewers, %d bytes; possible are %d", n, last.Viewers-before.Viewers, more, possible)
	}
	viewers.Unharmed(t)
}

// fresh waits for figures that were computed after the call: the tracker keeps them for a moment.
func (s *scene) fresh(t testing.TB) (st stats.Stats) {
	t.Helper()
	now := time.Now()
	lab.Eventually(t, 10*time.Second, "newer figures", func() bool {
		st = s.Stats(t)
		return st.Now.After(now)
	})
	return st
}

// maxBits is more than the highest rendition of the lab's stream has, in bits per second.
const maxBits = 8_000_000

// TestReportsOfOtherSessions: a socket reports for its own session, whatever it says.
func TestReportsOfOtherSessions(t *testing.T) {
	s := closed(t, nil)
	victim, thief := newReporter(t, s), lab.Ticket()
	ws, resp, err := upgradeAt(s.Listen, newOrigin(), "/announce?t="+thief)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err, resp)
	}
	defer func() { _ = ws.Close() }()
	body, err := json.Marshal(changes{"v": 1, "session": victim.session, "sequence": 1 << 40, "role": "viewer", "counters": counters(1000, 0, 0, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	ws.raw(frame(fin|opText, telemetry.FrameReport(body)))
	if answer := ws.answer(t); answer.Reason != "" {
		t.Fatalf("%+v", answer)
	}
	if status, answer := victim.report(t, changes{}); status != http.StatusOK {
		t.Errorf("the victim's report: %d %s", status, answer)
	}
}

// told is the answer to a report over a WebSocket.
type told struct {
	NextMs int64
	Reason telemetry.Reason
	Acked  telemetry.Counters
}

// answer waits for the answer to a report.
func (s *socket) answer(t testing.TB) (a told) {
	t.Helper()
	for {
		opcode, payload, err := s.next(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := telemetry.Answer(payload); ok && opcode == opText {
			if err := json.Unmarshal(b, &a); err != nil {
				t.Fatal(err)
			}
			return a
		}
	}
}

// TestReportsNeverStarveJoins: viewers of one address report over their sockets, which costs no connection and no request
// of the address, and a flood of reports over HTTP uses up the budget for reports only.
func TestReportsNeverStarveJoins(t *testing.T) {
	const viewers, perSecond = 300, 50
	s := closed(t, func(c *config.Config) {
		c.Limits.SocketsPerAddress = -1 // as with the traffic policy Cluster: all viewers have one address
		c.Limits.ReportsPerSecond = perSecond
	})
	bystanders := bystander.Watch(t, s.Stream, 1)
	from := newOrigin()
	var sockets []*socket
	for range viewers {
		ws, resp, err := tryUpgrade(s.Listen, from)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(err, resp)
		}
		t.Cleanup(func() { _ = ws.Close() })
		sockets = append(sockets, ws)
	}
	connections := s.Tracker.Counts(t, func() {
		var next int64
		for i, ws := range sockets {
			ws.raw(frame(fin|opText, telemetry.FrameReport([]byte(fmt.Sprintf(`{"v":1,"sequence":%d,"role":"viewer","counters":{"http":1}}`, i+1)))))
			a := ws.answer(t)
			if a.Reason != "" || a.Acked.HTTP != 1 {
				t.Fatalf("%+v", a)
			}
			next = a.NextMs
		}
		if rate := viewers / (float64(next) / 1000); rate >= perSecond {
			t.Errorf("%d viewers report %.0f times a second", viewers, rate)
		}
	}, "p2pstream_viewerapi_requests_total", `path="/v1/telemetry"`, `status="200"`)
	if connections > 5 { // of the seeder
		t.Errorf("%v reports came over HTTP", connections)
	}
	// The flood: reports over HTTP from the same address, while further pages join.
	r := reporter{client: httpClient(t, from), url: s.HTTP("/v1/telemetry"), session: lab.Ticket()}
	done := make(chan struct{})
	var flood sync.WaitGroup
	for range 4 {
		flood.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					r.report(t, changes{})
				}
			}
		})
	}
	s.counted(t, 500, func() {
		for range 50 {
			if _, cfg := settingsFor(t, s, somePage); len(cfg.Trackers) != 1 {
				t.Fatal("a page that joins got no settings")
			}
			ws, resp, err := tryUpgrade(s.Listen, from)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatal("a page that joins got no socket", err, resp)
			}
			_ = ws.Close()
		}
	}, "p2pstream_viewerapi_requests_total", `path="/v1/telemetry"`, `status="429"`)
	close(done)
	flood.Wait()
	bystanders.Unharmed(t)
}

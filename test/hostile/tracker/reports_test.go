package tracker

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/test/lab"
)

func ofSwarm(hash signaling.ID) func(signaling.TrackerMessage) bool {
	return func(m signaling.TrackerMessage) bool { return m.InfoHash == hash }
}

// reporter is a client with a session that sends any report.
type reporter struct {
	client  *http.Client
	url     string
	session string
}

func newReporter(t testing.TB, s *scene) reporter {
	t.Helper()
	r := reporter{client: httpClient(t, newOrigin())}
	resp, err := r.client.Get(s.HTTP("/v1/config"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var cfg struct {
		Telemetry struct{ URL, Session string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&cfg); err != nil || cfg.Telemetry.Session == "" {
		t.Fatalf("settings: %v %+v", err, cfg)
	}
	r.url, r.session = cfg.Telemetry.URL, cfg.Telemetry.Session
	ws, answer, err := upgradeAt(s.Listen, newOrigin(), "/announce?t="+r.session)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err, answer)
	}
	t.Cleanup(func() { _ = ws.Close() })
	ws.alive(t) // the tracker answers the handshake before it knows the session's socket
	return r
}

// changes are made to an honest report.
type changes map[string]any

func counters(http, seeder, viewer, discarded, uploaded any) changes {
	return changes{"http": http, "seeder": seeder, "viewer": viewer, "discarded": discarded, "uploaded": uploaded}
}

// report sends a report and returns the status and the answer.
func (r reporter) report(t testing.TB, given changes, header ...string) (int, string) {
	t.Helper()
	m := changes{"v": 1, "session": r.session, "sequence": 1, "role": "viewer", "counters": counters(1000, 0, 0, 0, 0), "peers": 0,
		"stalls": 0, "stallMs": 0, "startupMs": 0}
	maps.Copy(m, given)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return r.post(t, b, header...)
}

func (r reporter) post(t testing.TB, body []byte, header ...string) (int, string) {
	t.Helper()
	req := lab.Must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, bytes.NewReader(body)))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := lab.Must[[]byte](t)(io.ReadAll(resp.Body))
	return resp.StatusCode, string(answer)
}

// refuses fails the test unless the report is refused for the reason, with the status.
func (r reporter) refuses(t testing.TB, status int, reason telemetry.Reason, given changes, header ...string) {
	t.Helper()
	got, answer := r.report(t, given, header...)
	if got != status || !strings.Contains(answer, `"`+string(reason)+`"`) {
		t.Errorf("%v: %d %s, want %d %s", given, got, answer, status, reason)
	}
}

// unsigned reports under sessions that were not issued for this stream.
func (r reporter) unsigned(t testing.TB, flipped string) {
	t.Helper()
	now := time.Now()
	for _, forged := range []string{"", "x", strings.Repeat("A", len(r.session)), flipped, r.session + "A", r.session[:len(r.session)-1],
		lab.TicketOf("another key of the right length", lab.SwarmID, now), lab.TicketOf(lab.SessionKey, "another stream", now)} {
		r.refuses(t, http.StatusUnauthorized, telemetry.Unsigned, changes{"session": forged})
	}
}

// reports are attacks with telemetry.
var reports = []attack{
	{name: "null and wrong types in reports", run: func(t *testing.T, s *scene) {
		r := newReporter(t, s)
		s.counted(t, 50, func() {
			for _, body := range []string{"", "null", "[]", "[null]", "0", `"x"`, "{}", `{"v":null}`, `{"v":1}`, `{"v":1,"counters":null}`, "{", "\xff"} {
				if status, answer := r.post(t, []byte(body)); status != http.StatusBadRequest {
					t.Errorf("%q: %d %s", body, status, answer)
				}
			}
			for _, field := range []string{"v", "session", "sequence", "role", "counters", "peers", "stalls", "stallMs", "startupMs"} {
				for _, v := range []any{"x", -1, 1.5, []any{}, true, json.RawMessage("1e400"), json.RawMessage("[[[[]]]]")} {
					if status, answer := r.report(t, changes{field: v}); status < 400 || status >= 500 {
						t.Errorf("%s %v: %d %s", field, v, status, answer)
					}
				}
			}
		}, "p2pstream_viewerapi_reports_total", `result="Malformed"`)
	}},
	{name: "unsigned, stolen, old and future sessions", run: func(t *testing.T, s *scene) {
		r := newReporter(t, s)
		flipped := []byte(r.session)
		flipped[len(flipped)/2] ^= 1
		now := time.Now()
		s.counted(t, 8, func() { r.unsigned(t, string(flipped)) }, "p2pstream_viewerapi_reports_total", `result="Unsigned"`)
		for _, at := range []time.Time{now.Add(time.Hour), now.Add(1000 * time.Hour), now.Add(-37 * time.Hour), {}} {
			r.refuses(t, http.StatusUnauthorized, telemetry.Expired, changes{"session": lab.TicketOf(lab.SessionKey, lab.SwarmID, at)})
		}
	}},
	{name: "replayed, decreasing and overflowing reports", run: func(t *testing.T, s *scene) {
		r := newReporter(t, s)
		if status, answer := r.report(t, changes{"sequence": 5}); status != http.StatusOK {
			t.Fatal(status, answer)
		}
		// Each of these must change nothing, or the honest report at the end would be refused.
		for range 10 {
			r.refuses(t, http.StatusConflict, telemetry.Replayed, changes{"sequence": 5})
			r.refuses(t, http.StatusConflict, telemetry.OutOfOrder, changes{"sequence": 4})
			r.refuses(t, http.StatusConflict, telemetry.Decreasing, changes{"sequence": 6, "counters": counters(999, 0, 0, 0, 0)})
			r.refuses(t, http.StatusUnprocessableEntity, telemetry.Negative, changes{"sequence": 6, "counters": counters(-1, 0, 0, 0, 0)})
			r.refuses(t, http.StatusUnprocessableEntity, telemetry.Overflowing, changes{"sequence": 6, "counters": counters(1<<53, 0, 0, 0, 0)})
			r.refuses(t, http.StatusUnprocessableEntity, telemetry.Overflowing, changes{"sequence": 6, "counters": counters(1<<52, 1<<52, 0, 0, 0)})
			r.refuses(t, http.StatusUnprocessableEntity, telemetry.TooMuch, changes{"sequence": 6, "counters": counters(1000, 1<<50, 0, 0, 0)})
			r.refuses(t, http.StatusUnprocessableEntity, telemetry.TooMuch, changes{"sequence": 6, "counters": counters(1000, 0, 0, 0, 1<<50)})
			r.refuses(t, http.StatusUnprocessableEntity, telemetry.Inconsistent, changes{"sequence": 6, "counters": counters(1000, 0, 0, 2000, 0)})
			r.refuses(t, http.StatusBadRequest, telemetry.Malformed, changes{"sequence": json.RawMessage("18446744073709551615")})
		}
		if status, answer := r.report(t, changes{"sequence": 6, "counters": counters(2000, 0, 0, 0, 0)}); status != http.StatusOK {
			t.Error("an honest report after forged ones:", status, answer)
		}
	}},
	{name: "reports of a seeder without its token", run: func(t *testing.T, s *scene) {
		before := s.Stats(t)
		r := newReporter(t, s)
		state := changes{"renditions": []any{changes{"name": "x", "heldEdge": 1 << 50, "segments": 1}}, "peers": 0, "maxPeers": 0,
			"uplinkBps": 0, "uplinkLimitBps": 0}
		claim := changes{"role": "seeder", "session": "forged", "seeder": state}
		for _, token := range []string{"", "Bearer", "Bearer ", "Bearer x", "Basic " + lab.Token, lab.Token, "bearer  " + lab.Token + "x"} {
			r.refuses(t, http.StatusUnauthorized, telemetry.Unauthorized, claim, "Authorization", token)
		}
		r.refuses(t, http.StatusBadRequest, telemetry.Malformed, changes{"seeder": state})
		after := s.Stats(t)
		if after.Seeders != before.Seeders || len(after.SeederStates) != len(before.SeederStates) || !after.SeedersHold {
			t.Errorf("seeders %d and %d states, %d and %d before", after.Seeders, len(after.SeederStates), before.Seeders, len(before.SeederStates))
		}
	}},
	{name: "one session that reports all the time", run: func(t *testing.T, s *scene) {
		r := newReporter(t, s)
		s.counted(t, 50, func() {
			for i := range 100 {
				r.report(t, changes{"sequence": i + 1, "counters": counters(1000+i, 0, 0, 0, 0)})
			}
		}, "p2pstream_viewerapi_reports_total", `result="TooOften"`)
	}},
	{name: "a flood of reports", run: func(t *testing.T, s *scene) {
		r := newReporter(t, s)
		s.counted(t, 500, func() {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					for range 1000 {
						r.report(t, changes{"session": "forged"})
					}
				})
			}
			all.Wait()
		}, "p2pstream_viewerapi_requests_total", `path="/v1/telemetry"`, `status="429"`)
	}},
	{name: "thousands of sessions without sockets", run: func(t *testing.T, s *scene) {
		before := s.Stats(t)
		for range 3 {
			// Each address may ask for as many as an office joins with.
			r := newReporter(t, s)
			for range 600 {
				r.session = lab.Ticket()
				r.refuses(t, http.StatusConflict, telemetry.NoSocket, changes{})
			}
		}
		after := s.Stats(t)
		if got := after.Sessions - before.Sessions; got > 3 { // those of the reporters themselves
			t.Errorf("%d sessions more", got)
		}
	}},
	{name: "totals taken over the public listener", run: func(t *testing.T, s *scene) {
		r := newReporter(t, s)
		for _, query := range []string{"?accumulate=1", "?accumulate", "?accumulate=1&kept=x:1", "?accumulate=999999999"} {
			resp, err := r.client.Get(s.HTTP("/v1/stats" + query))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
		// Once the tracker believes that a client keeps the totals, it acknowledges nothing before it was read.
		status, answer := r.report(t, changes{})
		if status != http.StatusOK || !strings.Contains(answer, `"http":1000`) {
			t.Errorf("the tracker believes that a stranger keeps the totals: %d %s", status, answer)
		}
	}},
}

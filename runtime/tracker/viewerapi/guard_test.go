package viewerapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

const (
	intranet  = "https://intranet.test"
	someLists = HashesPath + "?swarm=BBBBBBBBBBBBBBBBBBBB&after=1"
)

// TestWithoutOrigin: requests without an origin need a credential, with and without a list of origins.
func TestWithoutOrigin(t *testing.T) {
	open := newRig(t, Config{})
	for _, tt := range []struct {
		header []string
		status int
	}{
		{[]string{"Origin", ""}, 403}, {[]string{"Origin", "https://page.test"}, 200}, {[]string{"Sec-Fetch-Site", "same-origin"}, 200},
		{[]string{"Sec-Fetch-Site", "none"}, 200}, {[]string{"Origin", "", "Authorization", "Bearer secret"}, 200},
	} {
		if w := open.do("GET", configPath, "", tt.header...); w.Code != tt.status {
			t.Errorf("without a list, with %v: %d %s", tt.header, w.Code, w.Body)
		}
	}
	r := newRig(t, Config{AllowedOrigins: []string{intranet}})
	var c ViewerConfig
	w := r.do("GET", configPath, "", "Origin", intranet)
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, err)
	}
	ticket := c.Telemetry.Session
	for _, tt := range []struct {
		name, method, path string
		header             []string
		status             int
		reason             telemetry.Reason
	}{
		{"settings", "GET", configPath, []string{"Origin", ""}, 403, "NoOrigin"},
		{"stats", "GET", "/v1/stats", []string{"Authorization", "", "Origin", ""}, 403, "NoOrigin"},
		{"hashes", "GET", someLists, []string{"Origin", ""}, 403, "NoOrigin"},
		{"settings for a foreign page", "GET", configPath, []string{"Origin", "https://evil.test"}, 403, "Origin"},
		{"settings under a rebound name", "POST", configPath, []string{"Host", "evil.test", "Origin", "http://evil.test"}, 403, "Origin"},
		{"a page that says it is the tracker's, under a rebound name", "GET", configPath,
			[]string{"Host", "evil.test", "Sec-Fetch-Site", "same-origin"}, 403, "NoOrigin"},
		{"the tracker's own page", "GET", configPath, []string{"Host", "192.0.2.1:8000", "Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"the tracker's own page over plain http", "POST", configPath, []string{"Host", "192.0.2.1:8000", "Origin", "http://192.0.2.1:8000"}, 200, ""},
		{"a page of another site", "GET", configPath, []string{"Host", "192.0.2.1:8000", "Sec-Fetch-Site", "cross-site"}, 403, "NoOrigin"},
		{"hashes with a ticket", "GET", someLists + "&t=" + ticket, []string{"Origin", ""}, 200, ""},
		{"hashes with a ticket in a header", "GET", someLists, []string{"Origin", "", "Authorization", "Bearer " + ticket}, 200, ""},
		{"hashes with a forged ticket", "GET", someLists + "&t=x" + ticket[1:], []string{"Origin", ""}, 403, "NoOrigin"},
		{"settings with the seeder token", "GET", configPath, []string{"Origin", "", "Authorization", "Bearer secret"}, 200, ""},
		{"settings with another token", "GET", configPath, []string{"Origin", "", "Authorization", "Bearer secrets"}, 403, "NoOrigin"},
	} {
		w := r.do(tt.method, tt.path, "", tt.header...)
		var a answer
		_ = json.Unmarshal(w.Body.Bytes(), &a)
		if w.Code != tt.status || a.Reason != tt.reason || (tt.status != 200) != (a.Error != "") {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
	// A report carries its ticket inside.
	if w := r.do("POST", telemetryPath, report(ticket, 1, 10, 0), "Origin", ""); w.Code != http.StatusOK {
		t.Errorf("report: %d %s", w.Code, w.Body)
	}
	if w := newRig(t, Config{AllowedOrigins: []string{intranet}, AllowNoOrigin: true}).do("GET", configPath, "", "Origin", ""); w.Code != http.StatusOK {
		t.Errorf("where the operator allows it: %d", w.Code)
	}
}

// TestViewerTokens: without a token nothing of the stream is served.
func TestViewerTokens(t *testing.T) {
	r := newRig(t, Config{})
	r.deps.Token = func(token string, _ time.Time) error {
		if token != "good" {
			return errors.New("the token has expired; get a new one")
		}
		return nil
	}
	w := r.do("GET", configPath, "", "Authorization", "Bearer good")
	var c ViewerConfig
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != http.StatusOK || !c.Telemetry.Guarded ||
		!strings.HasSuffix(c.Telemetry.ConfigURL, "/v1/config?token=good") {
		t.Fatalf("%d %+v", w.Code, c.Telemetry)
	}
	ticket := c.Telemetry.Session
	for _, tt := range []struct {
		name, path string
		header     []string
		status     int
		reason     telemetry.Reason
	}{
		{"settings", configPath, nil, 401, "NoToken"},
		{"settings with a bad token", configPath + "?token=bad", nil, 401, "InvalidToken"},
		{"settings with a bad token in a header", configPath, []string{"Authorization", "Bearer bad"}, 401, "InvalidToken"},
		{"settings with a token", configPath + "?token=good", nil, 200, ""},
		{"settings with a ticket", configPath + "?t=" + ticket, nil, 401, "NoToken"},
		{"settings with the seeder token", configPath, []string{"Authorization", "Bearer secret"}, 200, ""},
		{"stats", "/v1/stats", []string{"Authorization", ""}, 401, "NoToken"},
		{"stats with the seeder token", "/v1/stats", []string{"Authorization", "Bearer secret"}, 200, ""},
		{"hashes", someLists, nil, 401, "NoTicket"},
		{"hashes with a ticket", someLists + "&t=" + ticket, nil, 200, ""},
		{"the key of hashes", HashesPath + "?session=" + ticket, nil, 200, ""},
	} {
		w := r.do("GET", tt.path, "", tt.header...)
		var a answer
		_ = json.Unmarshal(w.Body.Bytes(), &a)
		if w.Code != tt.status || a.Reason != tt.reason {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if tt.status != 200 && (strings.Contains(w.Body.String(), "origin.test") || w.Header().Get("WWW-Authenticate") == "") {
			t.Errorf("%s tells of the stream: %s", tt.name, w.Body)
		}
	}
}

// TestReportsNeedASocket: here, or at another tracker of the stream that vouches for it.
func TestReportsNeedASocket(t *testing.T) {
	key := []byte("0123456789abcdef")
	first, second := newRig(t, Config{SessionKey: key}), newRig(t, Config{SessionKey: key})
	first.deps.HasSocket = func(string) bool { return true }
	second.deps.HasSocket = func(string) bool { return false }
	ticket := second.session()
	if w := second.do("POST", telemetryPath, report(ticket, 1, 1000, 0)); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), `"NoSocket"`) {
		t.Errorf("without a socket: %d %s", w.Code, w.Body)
	}
	if s := second.Stats(); s.Viewers != 0 || s.Sessions != 0 || s.Offload.Totals.Received() != 0 {
		t.Errorf("a session without a socket has changed the figures: %+v", s)
	}
	w := first.do("POST", telemetryPath, report(ticket, 1, 1000, 0))
	var ack telemetry.Acknowledgement
	if err := json.Unmarshal(w.Body.Bytes(), &ack); err != nil || ack.Voucher == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	vouched := strings.Replace(report(ticket, 2, 1500, 0), `"peers"`, `"base":{"http":1000},"voucher":"`+ack.Voucher+`","peers"`, 1)
	second.now = second.now.Add(5 * time.Second)
	w = second.do("POST", telemetryPath, vouched)
	if s := second.Stats(); w.Code != http.StatusOK || s.Viewers != 0 || s.Offload.Totals.HTTP != 500 {
		t.Errorf("%d %s, %d viewers, %+v", w.Code, w.Body, s.Viewers, s.Offload.Totals)
	}
	if strings.Contains(w.Body.String(), "voucher") {
		t.Error("a tracker without the socket vouches for it")
	}
	second.now = second.now.Add(time.Minute)
	if w := second.do("POST", telemetryPath, strings.Replace(vouched, `"sequence":2`, `"sequence":3`, 1)); w.Code != http.StatusConflict {
		t.Errorf("an old voucher: %d", w.Code)
	}
	if w := second.do("POST", telemetryPath, strings.Replace(vouched, ticket, second.session(), 1)); w.Code != http.StatusConflict {
		t.Errorf("the voucher of another session: %d", w.Code)
	}
}

// TestReportOverASocket: the socket says who reports.
func TestReportOverASocket(t *testing.T) {
	r := newRig(t, Config{Interval: 5 * time.Second})
	r.swarms.audience.ViewerSockets = 32_000
	ticket, err := r.verify(r.session(), r.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		message string
		reason  telemetry.Reason
	}{
		{report("", 1, 100, 0), ""}, {report("", 1, 100, 0), telemetry.Replayed}, {`{"v":7}`, telemetry.WrongVersion}, {"", telemetry.Malformed},
		{`{"v":1,"sequence":2,"role":"seeder","counters":{}}`, telemetry.Unauthorized},
	} {
		got, ok := telemetry.Answer(r.Report(ticket, r.client(&http.Request{}), telemetry.FrameReport([]byte(tt.message))))
		var a struct {
			Reason telemetry.Reason
			NextMs int64
		}
		if err := json.Unmarshal(got, &a); !ok || err != nil || a.Reason != tt.reason || a.NextMs != 20_000 {
			t.Errorf("%s: %s %v", tt.message, got, err)
		}
	}
	if s := r.Stats(); s.Reporting != 1 || s.Offload.Totals.HTTP != 100 {
		t.Errorf("%+v", s)
	}
}

// TestHashKeyFollowsTheTickets: the key of hash lists is that of the key that signs tickets, so that replicas agree on it.
func TestHashKeyFollowsTheTickets(t *testing.T) {
	key := []byte("0123456789abcdef")
	a, b := newRig(t, Config{SessionKey: key}), newRig(t, Config{SessionKey: key})
	if string(a.hashKey()) != string(b.hashKey()) || string(a.hashKey()) != string(integrity.Key(key, a.cfg.Stream)) {
		t.Error("two trackers sign with different keys")
	}
}

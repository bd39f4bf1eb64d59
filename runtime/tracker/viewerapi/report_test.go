package viewerapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

func TestTelemetryRefusals(t *testing.T) {
	tests := []struct {
		name   string
		body   string // %s is a good session
		header []string
		status int
		reason telemetry.Reason
	}{
		{"not JSON", "hello", nil, 400, telemetry.Malformed},
		{"unsigned", report("nonsense", 1, 0, 0), nil, 401, telemetry.Unsigned},
		{"no session", report("", 1, 0, 0), nil, 401, telemetry.Unsigned},
		{"negative", report("%s", 1, -1, 0), nil, 422, telemetry.Negative},
		{"too much", report("%s", 1, 1<<40, 0), nil, 422, telemetry.TooMuch},
		{"too large", strings.Repeat(" ", telemetry.MaxReportSize+1), nil, 413, telemetry.TooLarge},
		{"form", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		{"seeder without token", fmt.Sprintf(seederReport, 1, 1), nil, 401, telemetry.Unauthorized},
		{"seeder with another token", fmt.Sprintf(seederReport, 1, 1), []string{"Authorization", "Bearer wrong"}, 401, telemetry.Unauthorized},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{})
			w := r.do("POST", "/v1/telemetry", strings.Replace(tt.body, "%s", r.session(), 1), tt.header...)
			var a answer
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != tt.status || a.Reason != tt.reason || a.Error == "" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			s := r.Stats()
			if tt.reason != "" && s.Refused[tt.reason] != 1 {
				t.Fatalf("refused %v", s.Refused)
			}
			if s.Reporting != 0 || s.Offload.Totals.Received() != 0 {
				t.Fatalf("a refused report had an effect: %+v", s)
			}
		})
	}
}

func TestSequenceRulesOverHTTP(t *testing.T) {
	r := newRig(t, Config{})
	session := r.session()
	for i, step := range []struct {
		sequence, bytes int64
		status          int
	}{{1, 10, 200}, {1, 10, 409}, {2, 5, 409}, {3, 20, 200}} {
		r.now = r.now.Add(5 * time.Second)
		if w := r.do("POST", "/v1/telemetry", report(session, step.sequence, step.bytes, 0)); w.Code != step.status {
			t.Fatalf("step %d: %d %s", i, w.Code, w.Body)
		}
	}
	r.now = r.now.Add(tickets.DefaultLifetime)
	if w := r.do("POST", "/v1/telemetry", report(session, 9, 20, 0)); w.Code != 401 {
		t.Fatalf("expired: %d", w.Code)
	}
}

// TestRestart replaces the tracker under a viewer: with a shared key the session goes on, and what the first boot
// acknowledged is not counted again.
func TestRestart(t *testing.T) {
	key := bytes.Repeat([]byte("k"), 16)
	first := newRig(t, Config{SessionKey: key})
	session := first.session()
	first.now = first.now.Add(10 * time.Second)
	if w := first.do("POST", "/v1/telemetry", report(session, 1, 1000, 0)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var total telemetry.Accumulator
	total.Observe(first.Boot(), 0, first.Stats().Offload.Totals)

	second := newRig(t, Config{SessionKey: key})
	second.now = first.now.Add(10 * time.Second)
	second.began = second.now
	body := strings.Replace(report(session, 2, 1500, 0), `"peers"`, `"base":{"http":1000},"peers"`, 1)
	if w := second.do("POST", "/v1/telemetry", body); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := total.Observe(second.Boot(), 0, second.Stats().Offload.Totals); got.HTTP != 1500 || first.Boot() == second.Boot() {
		t.Fatalf("total %d", got.HTTP)
	}
}

func TestCrossOrigin(t *testing.T) {
	const page, other = "https://intranet.test", "https://evil.test"
	tests := []struct {
		name           string
		allowed        []string
		method, origin string
		status         int
		allow          string
	}{
		{"any origin", nil, "GET", page, 200, "*"},
		{"star", []string{"*"}, "GET", page, 200, "*"},
		{"listed", []string{page}, "GET", page, 200, page},
		{"not listed may not read", []string{page}, "GET", other, 403, ""},
		{"not listed may not report", []string{page}, "POST", other, 403, ""},
		{"our own player page", []string{page, "http://tracker.test:8000"}, "POST", "http://tracker.test:8000", 400, "http://tracker.test:8000"},
		{"a name that is not listed", []string{page}, "POST", "http://tracker.test:8000", 403, ""},
		{"no browser", []string{page}, "POST", "", 400, ""},
		{"preflight", []string{page}, "OPTIONS", page, 204, page},
		{"preflight of another", []string{page}, "OPTIONS", other, 204, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{AllowedOrigins: tt.allowed})
			path := "/v1/config"
			if tt.method != "GET" {
				path = "/v1/telemetry"
			}
			w := r.do(tt.method, path, "", "Origin", tt.origin)
			if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != tt.status || got != tt.allow {
				t.Fatalf("%d %q", w.Code, got)
			}
			if methods := w.Header().Get("Access-Control-Allow-Methods"); (methods != "") != (tt.method == "OPTIONS" && tt.allow != "") {
				t.Fatalf("methods %q", methods)
			}
		})
	}
}

func TestLimitPerAddress(t *testing.T) {
	r := newRig(t, Config{RequestsPerSecond: 1, RequestBurst: 2})
	r.proxied = true
	codes := func(from string) (codes []int) {
		for range 3 {
			codes = append(codes, r.do("GET", "/v1/stats", "", "X-Forwarded-For", "198.51.100.1, "+from).Code)
		}
		return codes
	}
	if got := fmt.Sprint(codes("203.0.113.7")); got != "[200 200 429]" {
		t.Fatal(got)
	}
	if got := fmt.Sprint(codes("203.0.113.8")); got != "[200 200 429]" {
		t.Fatalf("another address: %s", got)
	}
	if got := fmt.Sprint(codes("2001:db8::1"), codes("2001:db8::2")); got != "[200 200 429] [429 429 429]" {
		t.Fatalf("one /64: %s", got)
	}
	r.now = r.now.Add(time.Second)
	if got := fmt.Sprint(codes("203.0.113.7")); got != "[200 429 429]" {
		t.Fatalf("after a second: %s", got)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(1, 1)
	now := time.Now()
	r := newRig(t, Config{})
	r.proxied = true
	for i := range 5 * addresses.Remembered {
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
		l.allow(r.client(r.received(req)), now)
	}
	if n := l.Size(); n > 2*addresses.Remembered {
		t.Fatalf("%d addresses", n)
	}
}

func TestMethods(t *testing.T) {
	r := newRig(t, Config{})
	for path, method := range map[string]string{"/v1/config": "DELETE", "/v1/stats": "DELETE", "/v1/telemetry": "GET", "/player": "POST"} {
		if w := r.do(method, path, ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: %d", method, path, w.Code)
		}
	}
	for _, path := range []string{"/player", "/p2pstream.js", "/p2pstream.mjs", "/vendor/versions.json", "/player/player.js"} {
		if w := r.do("GET", path, ""); w.Code != http.StatusOK {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	if w := r.do("HEAD", "/v1/stats", ""); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func BenchmarkTelemetry(b *testing.B) {
	r := newRig(&testing.T{}, Config{RequestsPerSecond: -1})
	session := r.session()
	b.ReportAllocs()
	var n int64
	for b.Loop() {
		n++
		r.now = r.now.Add(5 * time.Second)
		if n%10_000 == 0 {
			session = r.session() // sessions live for a day
			n = 1
		}
		if w := r.do("POST", "/v1/telemetry", report(session, n, n*1000, 0)); w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

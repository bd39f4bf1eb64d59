package report_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server acknowledges reports while status is 200.
type server struct {
	mu     sync.Mutex
	status int
	swarm  string
	seen   chan telemetry.Report
}

func newServer(t *testing.T) (*server, *http.Client, string) {
	t.Helper()
	s := &server{status: http.StatusOK, seen: make(chan telemetry.Report, 100)}
	h := httptest.NewServer(s)
	client := h.Client()
	t.Cleanup(func() { client.CloseIdleConnections(); h.Close() })
	return s, client, h.URL
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var report telemetry.Report
	if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	status, swarm := s.status, s.swarm
	s.mu.Unlock()
	s.seen <- report
	if status != http.StatusOK {
		http.Error(w, "no", status)
		return
	}
	_ = json.NewEncoder(w).Encode(telemetry.Acknowledgement{Acked: report.Counters, Boot: "b", SwarmID: swarm})
}

func (s *server) set(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *server) name(swarm string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swarm = swarm
}

func (s *server) next(t *testing.T) telemetry.Report {
	t.Helper()
	select {
	case r := <-s.seen:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("no report in 10 s")
		panic("unreachable")
	}
}

// counting samples 100 more HTTP bytes each time.
func counting() func() telemetry.Report {
	var n int64
	return func() telemetry.Report {
		n += 100
		return telemetry.Report{Role: telemetry.RoleViewer, Counters: telemetry.Counters{HTTP: n}}
	}
}

func run(t *testing.T, cfg report.Config) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	r := report.New(cfg, counting(), slog.New(slog.DiscardHandler))
	go func() { defer close(done); r.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func TestReportsCarryWhatWasAcknowledged(t *testing.T) {
	s, client, url := newServer(t)
	stop := run(t, report.Config{URL: url, Client: client, Interval: 10 * time.Millisecond, Session: "one"})
	first, second := s.next(t), s.next(t)
	if first.Base != nil || first.Session != "one" || first.Sequence != 1 || first.Version != telemetry.ReportVersion {
		t.Errorf("first = %+v", first)
	}
	if second.Base == nil || *second.Base != first.Counters || second.Sequence != 2 {
		t.Errorf("second = %+v", second)
	}
	s.set(http.StatusServiceUnavailable)
	lost := s.next(t)
	for lost.Counters.HTTP <= second.Counters.HTTP {
		lost = s.next(t)
	}
	stop()
}

func TestAnUnacceptedSessionIsRenewedAndNothingCountsTwice(t *testing.T) {
	s, client, url := newServer(t)
	renewed := make(chan struct{}, 10)
	stop := run(t, report.Config{
		URL: url, Client: client, Interval: 10 * time.Millisecond, Session: "old",
		Renew: func(context.Context) (string, error) {
			s.set(http.StatusOK)
			renewed <- struct{}{}
			return "new", nil
		},
	})
	counted := s.next(t).Counters.HTTP
	s.set(http.StatusUnauthorized)
	<-renewed
	var fresh telemetry.Report
	for fresh = s.next(t); fresh.Session != "new"; fresh = s.next(t) {
		if acked := fresh.Base; acked != nil {
			counted = acked.HTTP
		}
	}
	if fresh.Base != nil || fresh.Sequence != 1 {
		t.Errorf("first under the new session = %+v", fresh)
	}
	if fresh.Counters.HTTP <= 0 || fresh.Counters.HTTP > 1000 {
		t.Errorf("counts %d after %d were acknowledged", fresh.Counters.HTTP, counted)
	}
	stop()
}

func TestTheLastReportIsSentOnLeaving(t *testing.T) {
	s, client, url := newServer(t)
	stop := run(t, report.Config{URL: url, Client: client, Interval: time.Hour})
	stop()
	if got := s.next(t); got.Counters.HTTP != 100 {
		t.Errorf("last = %+v", got)
	}
}

func TestSoonDoesNotWait(t *testing.T) {
	s, client, url := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := report.New(report.Config{URL: url, Client: client, Interval: time.Hour}, counting(), slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	r.ReportNow()
	s.next(t)
	cancel()
	<-done
}

func TestAnswersNameTheSwarm(t *testing.T) {
	s, client, url := newServer(t)
	named := make(chan string, 100)
	stop := run(t, report.Config{URL: url, Client: client, Interval: 10 * time.Millisecond, Answered: func(id string) { named <- id }})
	s.name("a")
	got := <-named // perhaps of a report before
	for got != "a" {
		got = <-named
	}
	s.name("b")
	for ; got != "b"; got = <-named {
		if got != "a" {
			t.Errorf("named %q", got)
		}
	}
	stop()
}

func TestURLOf(t *testing.T) {
	for tracker, want := range map[string]string{
		"ws://t.example:8000/announce":            "http://t.example:8000/v1/telemetry",
		"wss://t.example":                         "https://t.example/v1/telemetry",
		"wss://t.example/ecdn/media/one/announce": "https://t.example/ecdn/media/one/v1/telemetry",
		"ws://t.example/x?secret=1":               "http://t.example/v1/telemetry",
	} {
		if got, err := report.URLOf(tracker); err != nil || got != want {
			t.Errorf("URLOf(%q) = %q, %v; want %q", tracker, got, err, want)
		}
	}
	for _, bad := range []string{"http://t.example", ":", "t.example"} {
		if got, err := report.URLOf(bad); err == nil {
			t.Errorf("URLOf(%q) = %q, want an error", bad, got)
		}
	}
}

package report_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// sockets is a tracker that answers reports over WebSockets.
type sockets struct {
	seen   chan telemetry.Report
	opened chan struct{}
	answer string
}

func (s *sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	s.opened <- struct{}{}
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return
		}
		got, err := telemetry.DecodeReport(b)
		if err != nil || !telemetry.IsReport(b) {
			return
		}
		s.seen <- got
		for _, m := range [][]byte{[]byte(`{"action":"announce","info_hash":"x"}`), telemetry.FrameAnswer([]byte(s.answer))} {
			if ws.WriteMessage(websocket.TextMessage, m) != nil {
				return
			}
		}
	}
}

func startSockets(t *testing.T, answer string) (*sockets, *report.Socket) {
	t.Helper()
	s := &sockets{seen: make(chan telemetry.Report, 100), opened: make(chan struct{}, 100), answer: answer}
	server := httptest.NewServer(s)
	own := &report.Socket{URL: "ws" + strings.TrimPrefix(server.URL, "http")}
	t.Cleanup(func() { own.Close(); server.Close() })
	return s, own
}

// TestReportsOverASocket: the tracker's answer sets base, voucher and pace of what follows, and no report goes over HTTP.
func TestReportsOverASocket(t *testing.T) {
	tracker, own := startSockets(t, `{"acked":{"http":100},"receipts":[{"boot":"b","reading":1,"counters":{"http":100}}],"boot":"b","voucher":"word","nextMs":20}`)
	overHTTP, client, url := newServer(t)
	r := report.New(report.Config{URL: url, Interval: 10 * time.Millisecond, Session: "s", Client: client, Socket: own.Report},
		counting(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	var got []telemetry.Report
	for range 3 {
		select {
		case one := <-tracker.seen:
			got = append(got, one)
		case <-time.After(10 * time.Second):
			t.Fatal("no report in 10 s")
		}
	}
	cancel()
	<-done
	if got[0].Base != nil || got[0].Voucher != "" || got[2].Base == nil || got[2].Base.HTTP != 100 || got[2].Voucher != "word" || len(got[2].Receipts) != 1 {
		t.Errorf("%+v", got)
	}
	if n := len(overHTTP.seen); n != 0 {
		t.Errorf("%d reports over HTTP", n)
	}
	if n := len(tracker.opened); n != 1 {
		t.Errorf("%d sockets were opened", n)
	}
}

// TestReportsWithoutASocketGoOverHTTP: a tracker that cannot be reached by WebSocket, or that does not know the action.
func TestReportsWithoutASocketGoOverHTTP(t *testing.T) {
	for name, socket := range map[string]func(context.Context, []byte) ([]byte, bool){
		"none":       func(context.Context, []byte) ([]byte, bool) { return nil, false },
		"no tracker": (&report.Socket{URL: "ws://127.0.0.1:1/announce"}).Report,
	} {
		overHTTP, client, url := newServer(t)
		r := report.New(report.Config{URL: url, Interval: 5 * time.Millisecond, Session: "s", Client: client, Socket: socket},
			counting(), slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		if got := overHTTP.next(t); got.Sequence != 1 {
			t.Errorf("%s: %+v", name, got)
		}
		cancel()
		<-done
	}
}

// TestRefusalsOverASocket: a session that is not accepted any more is renewed, as over HTTP.
func TestRefusalsOverASocket(t *testing.T) {
	refusal, err := json.Marshal(map[string]any{"error": "no", "reason": telemetry.Expired, "nextMs": 5})
	if err != nil {
		t.Fatal(err)
	}
	_, own := startSockets(t, string(refusal))
	renewed := make(chan struct{}, 100)
	r := report.New(report.Config{URL: "http://127.0.0.1:1", Interval: 5 * time.Millisecond, Session: "old", Socket: own.Report,
		Renew: func(context.Context) (string, error) { renewed <- struct{}{}; return "new", nil }}, counting(), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	select {
	case <-renewed:
	case <-time.After(10 * time.Second):
		t.Error("the session was not renewed")
	}
	cancel()
	<-done
	if r.Accepted() {
		t.Error("a refusal counts as accepted")
	}
}

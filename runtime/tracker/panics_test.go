package tracker

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
)

// brokenConn panics when something is sent to it.
type brokenConn struct{ closed chan sockets.Reason }

func (brokenConn) Send([]byte) bool              { panic("broken on purpose") }
func (brokenConn) Probe()                        {}
func (c brokenConn) Close(reason sockets.Reason) { c.closed <- reason }

func TestAPanicInAShardEndsOneSocket(t *testing.T) {
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	p, err := newPanics(slog.New(slog.NewTextHandler(&log, nil)), reg)
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHub(Config{Shards: 1}.WithDefaults(1), reg)
	if err != nil {
		t.Fatal(err)
	}
	h.shards[0].panics = p
	stop := h.start()
	broken := brokenConn{closed: make(chan sockets.Reason, 1)}
	announce := func(c sockets.Conn, id string) sockets.Session {
		s := h.Open(c, sockets.Client{})
		hash, _ := signaling.MakeID(strings.Repeat("h", 20))
		peer, _ := signaling.MakeID(strings.Repeat(id, 20))
		s.Message(&sockets.Message{Bytes: signaling.AppendAnnounce(nil, signaling.Announce{InfoHash: hash, PeerID: peer})})
		return s
	}
	first := announce(broken, "a")
	if reason := <-broken.closed; reason != sockets.ReasonInternal {
		t.Errorf("closed for %v", reason)
	}
	first.Closed()
	sent := make(sentConn, 8)
	other := announce(sent, "b")
	if m := <-sent; !strings.Contains(m, `"incomplete"`) {
		t.Errorf("the shard answers another socket with %s", m)
	}
	other.Closed()
	stop()
	if n := counted(t, p.total.WithLabelValues(inShard)); n != 1 {
		t.Errorf("%v panics counted", n)
	}
	if text := log.String(); strings.Count(text, "broken on purpose") != 1 || !strings.Contains(text, "brokenConn.Send") {
		t.Errorf("the log has no stack of the panic: %s", text)
	}
}

// sentConn receives what is sent.
type sentConn chan string

func (c sentConn) Send(b []byte) bool { c <- string(b); return true }
func (sentConn) Probe()               {}
func (sentConn) Close(sockets.Reason) {}

func TestAPanicInARequestIsCounted(t *testing.T) {
	var log bytes.Buffer
	p, err := newPanics(slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[any]float64{"broken on purpose": 1, http.ErrAbortHandler: 0} {
		before := counted(t, p.total.WithLabelValues(inRequest))
		func() {
			defer func() {
				if got, ok := recover().(error); !ok || !errors.Is(got, http.ErrAbortHandler) {
					t.Errorf("net/http sees %v", got)
				}
			}()
			p.handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) })).
				ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		}()
		if n := counted(t, p.total.WithLabelValues(inRequest)) - before; n != want {
			t.Errorf("%v: %v panics counted", value, n)
		}
	}
	for range 100 {
		func() {
			defer func() { _ = recover() }()
			defer func() { p.recovered(inRequest, recover()) }()
			panic("again")
		}()
	}
	if n := strings.Count(log.String(), "level=ERROR"); n > 5 {
		t.Errorf("%d lines in the log", n)
	}
}

func counted(t *testing.T, c prometheus.Counter) float64 {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

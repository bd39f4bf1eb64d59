package sockets

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

const patience = 10 * time.Second

// echo is a handler that answers each message with itself. It panics at the message "panic", and keeps "keep".
type echo struct {
	kept   chan *Message
	closed atomic.Int64
}

type echoSession struct {
	h *echo
	c Conn
}

func (e *echo) Open(c Conn, _ Client) Session { return &echoSession{e, c} }

func (s *echoSession) Message(m *Message) {
	switch string(m.Bytes) {
	case "panic":
		panic("broken on purpose")
	case "keep":
		s.h.kept <- m
		return
	}
	s.c.Send(m.Bytes)
	m.Release()
}

func (s *echoSession) Closed() { s.h.closed.Add(1) }

// rig is a server with an HTTP listener in front of it.
type rig struct {
	*Server
	t       *testing.T
	handler *echo
	group   *Group
	url     string
	panics  chan any
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, handler: &echo{kept: make(chan *Message, 10)}, panics: make(chan any, 10)}
	cfg := Config{MessageBytes: 1 << 16, SendQueueBytes: 1 << 20, HeldBytes: 1 << 30, Sockets: 1000, SocketsPerAddress: -1,
		UpgradesPerSecond: 1000, UpgradeBurst: 1000, AddressUpgradesPerSecond: -1, BytesPerSecond: 1 << 20, ByteBurst: 1 << 24,
		WriteTimeout: patience, PingInterval: time.Minute, FirstMessageTimeout: time.Minute, IdleTimeout: time.Minute,
		MessageTimeout: time.Minute, Route: func(*http.Request) *Group { return r.group },
		Panicked: func(_ string, value any) { r.panics <- value }}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.Server, err = New(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	r.group = r.NewGroup(GroupConfig{Handler: r.handler, Origin: func(string, string) bool { return true }})
	front := httptest.NewServer(r.Server)
	r.url = "ws" + strings.TrimPrefix(front.URL, "http")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx, time.Millisecond) }()
	t.Cleanup(func() {
		cancel()
		<-done
		front.Close()
		eventually(t, "nothing to be counted as held", func() bool { return r.budget.used.Load() == 0 && r.budget.idle.Load() == 0 })
	})
	return r
}

func (r *rig) dial() *websocket.Conn {
	r.t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial(r.url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = resp.Body.Close()
	r.t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// begin sends the first n bytes of a message.
func begin(t *testing.T, ws *websocket.Conn, n int) {
	t.Helper()
	// One fragment: text, without FIN, with a mask of zeros.
	head := []byte{opText, 0x80 | 127, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0, 0, 0, 0}
	if _, err := ws.NetConn().Write(append(head, bytes.Repeat([]byte("x"), n)...)); err != nil {
		t.Fatal(err)
	}
}

// end sends the last fragment.
func end(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	if _, err := ws.NetConn().Write([]byte{0x80, 0x80, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
}

func answered(t *testing.T, ws *websocket.Conn, want string) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	if _, b, err := ws.ReadMessage(); err != nil || string(b) != want {
		t.Fatalf("answered with %d bytes, %v", len(b), err)
	}
}

func cut(t *testing.T, ws *websocket.Conn, code int) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, code) {
				t.Errorf("closed with %v, want code %d", err, code)
			}
			return
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (r *rig) closedFor(reason Reason) float64 {
	var m dto.Metric
	if err := r.metrics.closed[reason].Write(&m); err != nil {
		r.t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

func TestUnfinishedMessagesEnd(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MessageTimeout, c.PingInterval = 300*time.Millisecond, 32*20*time.Millisecond })
	ws := r.dial()
	began := time.Now()
	begin(t, ws, 60_000)
	stop := make(chan struct{})
	defer close(stop)
	go func() { // pings, and empty fragments: neither extends the time
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			_, _ = ws.NetConn().Write([]byte{0x80 | opPing, 0x80, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0}) // fails once it is cut off
		}
	}()
	cut(t, ws, websocket.ClosePolicyViolation)
	if took := time.Since(began); took < 250*time.Millisecond {
		t.Errorf("after %v already", took)
	}
	eventually(t, "it to be counted", func() bool { return r.closedFor(ReasonUnfinished) == 1 })
}

// TestFinishedMessagesEndNothing: a message in time, and others after the deadline that it had.
func TestFinishedMessagesEndNothing(t *testing.T) {
	const timeout, pause = 2 * time.Second, 20 * time.Millisecond
	r := newRig(t, func(c *Config) { c.MessageTimeout, c.PingInterval = timeout, 32*pause })
	other := r.dial()
	begin(t, other, 10)
	eventually(t, "its beginning to arrive", func() bool { return r.budget.used.Load() > readBufferBytes })
	end(t, other)
	answered(t, other, strings.Repeat("x", 10))
	pace := time.NewTicker(pause)
	defer pace.Stop()
	for range timeout/pause + 10 {
		<-pace.C
		if err := other.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
			t.Fatal(err)
		}
		answered(t, other, "still here")
	}
}

func TestTheLargestAreCutFirst(t *testing.T) {
	r := newRig(t, func(c *Config) { c.HeldBytes = 400_000 })
	var small, large []*websocket.Conn
	for range 10 {
		small = append(small, r.dial())
		begin(t, small[len(small)-1], 3000)
	}
	eventually(t, "the small ones to be counted", func() bool { return r.budget.used.Load() >= 10*4096 })
	for range 10 {
		large = append(large, r.dial())
		begin(t, large[len(large)-1], 60_000)
	}
	eventually(t, "the largest to be closed", func() bool {
		return r.closedFor(ReasonMemory) > 0 && r.budget.used.Load() <= r.budget.limit
	})
	for _, ws := range small {
		end(t, ws)
		answered(t, ws, strings.Repeat("x", 3000))
	}
	open := 0
	for _, ws := range large {
		_ = ws.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _, err := ws.ReadMessage()
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			open++
		}
	}
	if n := int(r.closedFor(ReasonMemory)); open+n != len(large) || open < 2 { // four of them and the small ones have room
		t.Errorf("%d were closed and %d are open, of %d", n, open, len(large))
	}
}

// TestQueuedFramesCount: frames for clients that do not read come out of the same budget.
func TestQueuedFramesCount(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.HeldBytes, c.MessageBytes, c.BytesPerSecond = 2<<20, 1<<20, 1<<30
		c.ByteBurst = 1 << 30
	})
	quiet := r.dial()
	if err := quiet.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	answered(t, quiet, "hello")
	// None of these reads. What they are sent fills the kernel's buffers first.
	message := bytes.Repeat([]byte("x"), 200_000)
	for range 8 {
		ws := r.dial()
		go func() {
			for range 30 {
				if ws.WriteMessage(websocket.TextMessage, message) != nil {
					return // it was cut off
				}
			}
		}()
	}
	eventually(t, "one to be closed", func() bool { return r.closedFor(ReasonMemory) > 0 })
	eventually(t, "the budget to be kept", func() bool { return r.budget.used.Load() <= r.budget.limit })
	if err := quiet.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	answered(t, quiet, "still here")
}

// TestKeptMessagesCount: a message counts until the session has released it, even after its socket has closed.
func TestKeptMessagesCount(t *testing.T) {
	r := newRig(t, nil)
	ws := r.dial()
	if err := ws.WriteMessage(websocket.TextMessage, []byte("keep")); err != nil {
		t.Fatal(err)
	}
	m := <-r.handler.kept
	_ = ws.Close()
	eventually(t, "the socket to be closed", func() bool { return r.handler.closed.Load() == 1 && r.budget.idle.Load() == 0 })
	if used := r.budget.used.Load(); used < 4 {
		t.Errorf("%d bytes are counted", used)
	}
	m.Release()
	if used := r.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are still counted", used)
	}
}

// TestIdleSocketsHoldLittle: after a long message, and after a long answer.
func TestIdleSocketsHoldLittle(t *testing.T) {
	r := newRig(t, nil)
	ws := r.dial()
	long := strings.Repeat("x", 60_000)
	if err := ws.WriteMessage(websocket.TextMessage, []byte(long)); err != nil {
		t.Fatal(err)
	}
	answered(t, ws, long)
	eventually(t, "only the read buffer to be held", func() bool { return r.budget.used.Load() == readBufferBytes })
}

func TestNoRoomForIdleSockets(t *testing.T) {
	r := newRig(t, func(c *Config) { c.HeldBytes = 8 * readBufferBytes })
	for range 6 {
		r.dial()
	}
	_, resp, err := websocket.DefaultDialer.Dial(r.url, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Fatalf("a socket more: %v", err)
	}
	_ = resp.Body.Close()
}

func TestAPanicEndsOneSocket(t *testing.T) {
	r := newRig(t, nil)
	ws, other := r.dial(), r.dial()
	if err := ws.WriteMessage(websocket.TextMessage, []byte("panic")); err != nil {
		t.Fatal(err)
	}
	cut(t, ws, websocket.CloseInternalServerErr)
	if value := <-r.panics; value != "broken on purpose" {
		t.Errorf("recovered %v", value)
	}
	eventually(t, "its session to be closed", func() bool { return r.handler.closed.Load() == 1 })
	if n := r.closedFor(ReasonInternal); n != 1 {
		t.Errorf("%v sockets are counted", n)
	}
	if err := other.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	answered(t, other, "still here")
}

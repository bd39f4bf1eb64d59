package tracker

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

const patience = 10 * time.Second

var hashOne = signaling.ID([]byte("tlCIAIrI13koYCQLatNp"))

func peerID(n int) signaling.ID { return signaling.ID([]byte(fmt.Sprintf("-PM0203-%012d", n))) }

// running starts a tracker and ends it with the test.
func running(t testing.TB, cfg Config) *Server { return logging(t, cfg, nil) }

// logging is running with a log.
func logging(t testing.TB, cfg Config, log *slog.Logger) *Server {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.DrainPeriod == 0 {
		cfg.DrainPeriod = Duration(50 * time.Millisecond)
	}
	s, err := New(cfg, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("tracker does not end")
		}
	})
	return s
}

// client is a real WebSocket client.
type client struct {
	t  testing.TB
	ws *websocket.Conn
}

func dial(t testing.TB, s *Server, header http.Header, query string) *client {
	t.Helper()
	c, status, err := tryDial(s, header, query)
	if err != nil {
		t.Fatalf("dialing: %v (%d)", err, status)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{t, c}
}

func tryDial(s *Server, header http.Header, query string) (*websocket.Conn, int, error) {
	d := websocket.Dialer{HandshakeTimeout: patience}
	c, resp, err := d.Dial("ws://"+s.Addr().String()+"/announce"+query, header)
	status := 0
	if resp != nil {
		status = resp.StatusCode
		_ = resp.Body.Close()
	}
	return c, status, err
}

// ticketOf is a new ticket of the tracker's stream.
func ticketOf(t testing.TB, s *Server) string {
	t.Helper()
	text, err := s.keys.current().Issue(s.streams.only.viewers.Stream(), "", time.Hour, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (c *client) send(raw string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(raw)); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next message.
func (c *client) read() signaling.TrackerMessage {
	c.t.Helper()
	_ = c.ws.SetReadDeadline(time.Now().Add(patience))
	kind, b, err := c.ws.ReadMessage()
	if err != nil || kind != websocket.TextMessage {
		c.t.Fatalf("reading: %d %v", kind, err)
	}
	m, err := signaling.ParseTrackerMessage(b)
	if err != nil {
		c.t.Fatalf("%v: %s", err, b)
	}
	return m
}

// expect reads the next message, which must be of that kind.
func (c *client) expect(kind signaling.Kind) signaling.TrackerMessage {
	c.t.Helper()
	m := c.read()
	if m.Kind != kind {
		c.t.Fatalf("got %+v, want kind %v", m, kind)
	}
	return m
}

// gone waits for the tracker to close the socket.
func (c *client) gone() error {
	_ = c.ws.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := c.ws.ReadMessage(); err != nil {
			var ne net.Error
			if strings.Contains(err.Error(), "timeout") && ne == nil {
				c.t.Errorf("socket is still open: %v", err)
			}
			return err
		}
	}
}

func announce(hash, id signaling.ID, offers int) string {
	a := signaling.Announce{InfoHash: hash, PeerID: id, NumWant: offers}
	for i := range offers {
		oid := id
		oid[0], oid[1] = byte(i), 0xdb
		a.Offers = append(a.Offers, signaling.Offer{SDP: signaling.AppendText(nil, strings.Repeat("v=0\r\n", 140)),
			ID: signaling.AppendID(nil, oid)})
	}
	return string(signaling.AppendAnnounce(nil, a))
}

func answerTo(o signaling.TrackerMessage, id signaling.ID) string {
	return string(signaling.AppendAnswer(nil, o.InfoHash, id, o.PeerID, signaling.Raw(`"v=0\r\n"`), o.OfferID, nil))
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-tick.C
	}
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func textLog(b *buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

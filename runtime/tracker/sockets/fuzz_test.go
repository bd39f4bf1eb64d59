package sockets

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// clientFrame returns a frame as clients send it, masked with zeros.
func clientFrame(first byte, payload string) []byte {
	if len(payload) > 125 {
		payload = payload[:125]
	}
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// FuzzConnection sends arbitrary bytes over a socket: whatever they are, no message exceeds the limit, the
// connection ends when the client's does, and it no longer counts against the limits.
func FuzzConnection(f *testing.F) {
	f.Add(clientFrame(0x81, `{"action":"announce"}`))
	f.Add(bytes.Repeat(clientFrame(0x89, "ping"), 10))
	f.Add(append(clientFrame(0x01, "frag"), clientFrame(0x80, "ment")...))
	f.Add(append(clientFrame(0x82, "binary"), clientFrame(0x88, "\x03\xe8bye")...))
	f.Add(bytes.Repeat(clientFrame(0x8a, ""), 300))
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Add([]byte{0x81, 0x02, '{', '}'})
	f.Add([]byte{0xc1, 0x80, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, sent []byte) {
		h := &recorder{t: t}
		var group *Group
		srv, err := New(Config{
			MessageBytes: 1000, SendQueueBytes: 10_000, Sockets: 10, SocketsPerAddress: 10, UpgradesPerSecond: 10, UpgradeBurst: 10,
			AddressUpgradesPerSecond: -1, BytesPerSecond: 1, ByteBurst: 4000, WriteTimeout: time.Second, PingInterval: time.Minute,
			FirstMessageTimeout: time.Minute, IdleTimeout: time.Minute, MessageTimeout: time.Minute, HeldBytes: 1 << 20,
			Panicked: func(_ string, value any) { t.Error(value) },
			Route:    func(*http.Request) *Group { return group },
		}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		group = srv.NewGroup(GroupConfig{Handler: h, Origin: func(string, string) bool { return true }})
		client, server := net.Pipe()
		r := httptest.NewRequest(http.MethodGet, "/announce", nil)
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13",
			"Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			r.Header.Set(name, value)
		}
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = io.Copy(io.Discard, client) }) // until one side closes
		srv.ServeHTTP(pipeWriter{httptest.NewRecorder(), server}, r)
		_, _ = client.Write(sent) // fails where the client is cut off
		_ = client.Close()        // never fails
		reading.Wait()
		srv.wg.Wait()
		if !h.closed || srv.Viewers() != 0 || len(srv.addresses) != 0 || len(srv.watched) != 0 {
			t.Fatalf("closed %v, %d viewers, %d addresses", h.closed, srv.Viewers(), len(srv.addresses))
		}
	})
}

// pipeWriter hands out one end of a pipe.
type pipeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (w pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReaderSize(w.conn, 16), bufio.NewWriterSize(w.conn, 16)), nil
}

// recorder is a handler that looks at messages.
type recorder struct {
	t      *testing.T
	conn   Conn
	closed bool
}

func (r *recorder) Open(c Conn, _ Client) Session {
	r.conn = c
	return r
}

func (r *recorder) Message(m *Message) {
	if len(m.Bytes) > 1000 || r.closed {
		r.t.Errorf("%d bytes, closed %v", len(m.Bytes), r.closed)
	}
	if utf8.Valid(m.Bytes) {
		r.conn.Send(m.Bytes)
	}
	m.Release()
}

func (r *recorder) Closed() { r.closed = true }

package sockets

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"
)

// errTooFast ends a connection that received more bytes than a well-behaved client sends.
var errTooFast = errors.New("too many bytes")

// inflow limits the rate of bytes that a client sends, below the level of frames: bytes that never become a message, such
// as endless empty fragments, cost as much as others, and no other limit covers them.
type inflow struct {
	net.Conn
	tokens, rate, burst float64
	last                time.Time
}

// Read implements net.Conn. Only the connection's reader calls it.
func (f *inflow) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	now := time.Now()
	f.tokens = min(f.burst, f.tokens+now.Sub(f.last).Seconds()*f.rate) - float64(n)
	f.last = now
	if f.tokens < 0 {
		return 0, errTooFast
	}
	return n, err
}

// NetConn returns the wrapped connection.
func (f *inflow) NetConn() net.Conn { return f.Conn }

// hijacker wraps the hijacked connection in an inflow.
type hijacker struct {
	http.ResponseWriter
	rate, burst float64
}

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return &inflow{Conn: c, tokens: h.burst, rate: h.rate, burst: h.burst, last: time.Now()}, rw, nil
}

package sockets

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
)

// errTooFast ends a connection that received more bytes than a well-behaved client sends.
var errTooFast = errors.New("too many bytes")

// inflow is what a socket reads from. It limits the rate of bytes that a client sends, below the level of frames: bytes
// that never become a message, such as endless empty fragments, cost as much as others, and no other limit covers them.
type inflow struct {
	net.Conn
	owner  *conn
	tokens tokenbucket.Bucket
	rate   tokenbucket.Rate
	opened time.Time
}

// Read implements net.Conn. Only the connection's reader calls it.
func (f *inflow) Read(b []byte) (int, error) {
	f.owner.beforeRead()
	n, err := f.Conn.Read(b)
	f.owner.afterRead()
	if f.tokens.Spend(f.rate, float64(n), time.Since(f.opened)) < 0 {
		return 0, errTooFast
	}
	return n, err
}

// NetConn returns the wrapped connection.
func (f *inflow) NetConn() net.Conn { return f.Conn }

// hijacker wraps the hijacked connection in an inflow.
type hijacker struct {
	http.ResponseWriter
	owner *conn
	rate  tokenbucket.Rate
}

// Hijack implements http.Hijacker.
func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return &inflow{Conn: c, owner: h.owner, rate: h.rate, opened: time.Now()}, rw, nil
}

package originhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// Closing tells how the connection of one response ended. A body without a length ends with its connection, so this
// decides whether the body is whole.
type Closing struct {
	under atomic.Pointer[endingConn] // the TCP connection of a TLS session
}

// WatchClosing returns a context for one request, and what tells how its connection ended.
func WatchClosing(ctx context.Context) (context.Context, *Closing) {
	c := new(Closing)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		session, ok := info.Conn.(*tls.Conn)
		if !ok {
			return // without TLS a lost connection is an error, and an end an end
		}
		if under, ok := session.NetConn().(*endingConn); ok {
			c.under.Store(under)
		}
	}}), c
}

// CutOff tells, after the end of a body, whether TCP ended inside a TLS session: the session was not closed by the
// server (close_notify), so any host on the path could have ended it. crypto/tls accepts this between two records.
// Source: RFC 8446 §6.1.
func (c *Closing) CutOff() bool {
	under := c.under.Load()
	return under != nil && under.ended.Load()
}

// endingConn remembers that its peer has ended the connection. A TLS session that was closed reads no further.
type endingConn struct {
	net.Conn
	ended atomic.Bool
}

func (c *endingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		c.ended.Store(true)
	}
	return n, err
}

// notingEnds wraps a dialer's connections.
func notingEnds(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &endingConn{Conn: c}, nil
	}
}

// maxSizes bounds the sizes remembered: those of the segments that are being fetched matter.
const maxSizes = 128

// sizes are those of bodies that ended without a proof that they are whole.
type sizes struct {
	mu    sync.Mutex
	byURL map[string]int64
	order []string // oldest first
}

// SameAsBefore remembers the size of a body whose end is in doubt. It is true if the last body of that name had the same
// size: two connections were hardly cut at the same byte.
func (t *Transport) SameAsBefore(name string, size int64) bool {
	s := &t.sizes
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.byURL[name]
	if known && before == size {
		return true
	}
	if s.byURL == nil {
		s.byURL = make(map[string]int64)
	}
	if !known {
		if len(s.order) == maxSizes {
			delete(s.byURL, s.order[0])
			s.order = append(s.order[:0], s.order[1:]...)
		}
		s.order = append(s.order, name)
	}
	s.byURL[name] = size
	return false
}

package tracker

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

// connection counts against the limits until it becomes a WebSocket or is closed.
type connection struct {
	net.Conn
	l    *connections
	from netip.Addr // counts for this address; not valid: for none, because a proxy passes on many clients
	once sync.Once
	// ended is true once the connection does not count any more. l.mu guards it and from.
	ended bool
	// expectsHeader says that a header of the PROXY protocol comes first, client is what it says, and begun holds what was
	// read with it. Only the reader uses them; client is set before the first request is read.
	expectsHeader bool
	client        netip.Addr
	begun         *bufio.Reader
	// stranger says that nothing was read yet of a connection that must not begin with such a header. Only the reader uses it.
	stranger bool
	// requested is true once a request arrived.
	requested atomic.Bool
	// largest is the largest buffer that Read was given. Only the reader uses it.
	largest int
	// shaking is true until the end of the TLS handshake, turn while the connection has a turn of those in l.hellos.
	shaking, turn, closed atomic.Bool
}

// Read implements net.Conn. What it returns during a TLS handshake makes the server compute, so it waits for a turn. The
// turn ends when the connection is used again: what is between is computing alone.
func (c *connection) Read(b []byte) (int, error) {
	c.endTurn()
	if c.expectsHeader {
		if err := c.readClient(); err != nil {
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: err} // net/http closes without an answer
		}
	}
	c.largest = max(c.largest, len(b))
	n, err := c.readOn(b)
	if c.stranger && n > 0 {
		c.stranger = false
		if beginsWithHeader(b[:n]) {
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: c.l.refuseStranger(c)}
		}
	}
	if n == 0 || !c.shaking.Load() {
		return n, err
	}
	if err := c.l.hellos.take(context.Background()); err != nil {
		return 0, fmt.Errorf("waiting for a turn in a TLS handshake: %w", err)
	}
	c.turn.Store(true)
	if c.closed.Load() {
		c.endTurn()
	}
	return n, err
}

// Write implements net.Conn.
func (c *connection) Write(b []byte) (int, error) {
	c.endTurn()
	return c.Conn.Write(b)
}

func (c *connection) endTurn() {
	if c.turn.Load() && c.turn.Swap(false) { // the first alone is cheaper, and nearly always false
		c.l.hellos.end()
	}
}

// shaken ends the handshake.
func (c *connection) shaken() {
	c.shaking.Store(false)
	c.endTurn()
}

// LargestRead returns the size in bytes of the largest buffer that Read was given. crypto/tls reads into one buffer, which
// it keeps: this is its size. Only the goroutine that reads may call it.
func (c *connection) LargestRead() int { return c.largest }

// done removes the connection from the counts.
func (c *connection) done() {
	c.once.Do(func() {
		c.l.mu.Lock()
		defer c.l.mu.Unlock()
		c.l.open--
		c.l.uncount(c.from)
		c.ended = true
		c.l.metrics.open.Dec()
		if !c.requested.Load() {
			c.l.metrics.withoutRequest.Inc()
		}
	})
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.done()
	c.closed.Store(true)
	c.endTurn()
	return c.Conn.Close()
}

// SetWriteBuffer sets the size of the kernel's send buffer, in bytes.
func (c *connection) SetWriteBuffer(bytes int) error {
	if b, ok := c.Conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		return b.SetWriteBuffer(bytes)
	}
	return nil
}

// connectionOf returns the connection below TLS.
func connectionOf(c net.Conn) *connection {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	own, _ := c.(*connection)
	return own
}

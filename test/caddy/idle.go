package main

import (
	"net"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// idle is a listener wrapper that ends connections on which nothing is sent or received for as long as it says, as load balancers
// and ingress controllers do, and Caddy alone does not: a WebSocket is not idle for its server.
type idle struct {
	Timeout caddy.Duration `json:"timeout"`
}

// CaddyModule implements caddy.Module.
func (idle) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.listeners.idle", New: func() caddy.Module { return new(idle) }}
}

// WrapListener implements caddy.ListenerWrapper.
func (i *idle) WrapListener(l net.Listener) net.Listener {
	return idleListener{l, time.Duration(i.Timeout)}
}

type idleListener struct {
	net.Listener
	timeout time.Duration
}

// Accept implements net.Listener.
func (l idleListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	idle := &idleConn{Conn: c}
	idle.timer = time.AfterFunc(l.timeout, func() { _ = c.Close() })
	idle.timeout = l.timeout
	return idle, nil
}

type idleConn struct {
	net.Conn
	timeout time.Duration
	timer   *time.Timer
}

// Read implements net.Conn.
func (c *idleConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.used(n)
	return n, err
}

// Write implements net.Conn.
func (c *idleConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.used(n)
	return n, err
}

// used starts the time anew, unless it is over.
func (c *idleConn) used(n int) {
	if n > 0 && c.timer.Stop() {
		c.timer.Reset(c.timeout)
	}
}

// Close implements net.Conn.
func (c *idleConn) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}

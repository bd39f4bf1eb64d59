package strict

import (
	"encoding/json"
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// outQueue is far above what a swarm of a test sends to one member at a time.
const outQueue = 4096

const writeLimit = 10 * time.Second

// conn is one socket.
type conn struct {
	server *Server
	ws     *websocket.Conn
	out    chan []byte
	dead   chan struct{}
	ids    []*identity // owned by the server's lock
}

// read hands messages over until the socket ends; what was announced on it is removed then.
func (c *conn) read() {
	s := c.server
	c.ws.SetReadLimit(s.cfg.MessageBytes)
	extend := func() { _ = c.ws.SetReadDeadline(time.Now().Add(s.cfg.Idle)) } // fails on a closed socket only
	ping := c.ws.PingHandler()
	c.ws.SetPingHandler(func(text string) error { extend(); return ping(text) })
	var cause Cause
	for cause == "" {
		extend()
		_, b, err := c.ws.ReadMessage()
		if err != nil {
			cause = causeOf(err)
			break
		}
		s.mu.Lock()
		cause = s.message(c, b)
		s.mu.Unlock()
	}
	s.mu.Lock()
	if cause != "" {
		s.stats.Closed[cause]++
	}
	delete(s.conns, c)
	for _, id := range append([]*identity(nil), c.ids...) {
		s.forget(id)
	}
	s.mu.Unlock()
	close(c.dead)
}

// causeOf tells the server's reasons from a client that closed its socket, which is none.
func causeOf(err error) Cause {
	var timeout net.Error
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return TooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		return Idle
	}
	return ""
}

// write sends what waits, and closes the socket when its reader has ended: without a close frame, as the real one.
func (c *conn) write() {
	defer func() { _ = c.ws.Close() }() // the reader notices
	for {
		select {
		case b := <-c.out:
			if !c.put(b) {
				return
			}
			continue
		default:
		}
		select {
		case b := <-c.out:
			if !c.put(b) {
				return
			}
		case <-c.dead:
			if len(c.out) == 0 {
				return
			}
		}
	}
}

func (c *conn) put(b []byte) bool {
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeLimit)) // fails on a closed socket only
	return c.ws.WriteMessage(websocket.TextMessage, b) == nil
}

func (c *conn) send(message map[string]any) {
	b, err := json.Marshal(message)
	if err != nil {
		c.server.tb.Errorf("encoding a message of the strict tracker: %v", err)
		return
	}
	select {
	case c.out <- b:
	default:
		c.server.tb.Errorf("a client of the strict tracker reads nothing; %d messages wait", outQueue)
		_ = c.ws.Close() // the reader clears up
	}
}

package sockets

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// conn is one socket.
type conn struct {
	server *Server
	ws     *websocket.Conn
	net    net.Conn
	// raw is the connection below TLS. Closing it never waits, where closing a TLS connection sends an alert first
	// and may wait for a client that does not read, with a shard waiting behind.
	raw     net.Conn
	address netip.Addr
	seeder  bool

	// Milliseconds since the server started, of the last frame and of the last message (0 if there was none yet); probed,
	// if not 0, is when a sign of life was asked for, and lastProbe when that was done last.
	lastFrame, lastMessage, probed, lastProbe atomic.Int64
	opened                                    int64
	slot                                      int // in the keep-alive wheel
	// chatter counts frames since the last keep-alive that no session sees: pings, pongs that nobody asked for, binary
	// messages. owed is how many pings were sent whose pongs have not come.
	chatter, owed atomic.Int32

	mu      sync.Mutex
	queue   *[]byte // frames waiting; nil when there are none
	writing bool    // a flusher runs
	closing bool    // no more frames
	// readerDone says that nobody waits for the client any more.
	readerDone bool
	reason     Reason
}

// Send implements Conn.
func (c *conn) Send(msg []byte) bool { return c.frame(opText, msg) }

// sendLimit is how many bytes may wait for the client.
func (c *conn) sendLimit() int {
	if c.seeder {
		return 4 * c.server.cfg.SendQueueBytes
	}
	return c.server.cfg.SendQueueBytes
}

func (c *conn) frame(opcode byte, payload []byte) bool {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return false
	}
	if c.queue == nil {
		c.queue = queues.Get().(*[]byte)
	}
	if len(*c.queue)+len(payload) > c.sendLimit() {
		c.mu.Unlock()
		c.Close(ReasonSlow)
		return false
	}
	*c.queue = appendFrame(*c.queue, opcode, payload)
	start := !c.writing
	c.writing = true
	c.mu.Unlock()
	if start {
		go c.flush()
	}
	return true
}

// flush writes out what waits, until nothing does. At most one runs per connection.
func (c *conn) flush() {
	for {
		c.mu.Lock()
		q, closing := c.queue, c.closing
		c.queue = nil
		if q == nil {
			c.writing = false
			c.hangUp()
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		timeout := c.server.cfg.WriteTimeout
		if closing {
			timeout = min(timeout, lastWords)
		}
		err := c.net.SetWriteDeadline(time.Now().Add(timeout))
		if err == nil {
			_, err = c.net.Write(*q)
		}
		releaseQueue(q)
		if err != nil {
			reason := ReasonClient
			if errors.Is(err, os.ErrDeadlineExceeded) {
				reason = ReasonSlow
			}
			c.Close(reason)
			_ = c.raw.Close() // the write has failed already
		}
	}
}

// lastWords is how long a closing connection may take to send what waits and to hear the client's close frame.
const lastWords = time.Second

// hangUp, with the lock held, ends a closing connection whose frames are out: at once if nobody reads any more,
// else after the client had time for its own close frame.
func (c *conn) hangUp() {
	switch {
	case !c.closing || c.writing:
	case c.readerDone:
		_ = c.raw.Close() // nothing can be lost any more
	default:
		_ = c.net.SetReadDeadline(time.Now().Add(lastWords)) // fails only if closed already
	}
}

// Close implements Conn. The first reason given is the one that counts.
func (c *conn) Close(reason Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.closing, c.reason = true, reason
	switch reason {
	case ReasonSlow, ReasonDead:
		// Whoever does not read gets no close frame either.
		if c.queue != nil {
			releaseQueue(c.queue)
			c.queue = nil
		}
		_ = c.raw.Close() // ends reader and flusher
		return
	case ReasonClient:
		c.hangUp()
		return
	}
	if c.queue == nil {
		c.queue = queues.Get().(*[]byte)
	}
	status := reason.status()
	*c.queue = appendFrame(*c.queue, opClose, append([]byte{byte(status >> 8), byte(status)}, reason.String()...))
	if !c.writing {
		c.writing = true
		go c.flush()
		return
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(lastWords)) // fails only if closed already
}

// finished notes that nothing is read any more.
func (c *conn) finished(reason Reason) {
	c.mu.Lock()
	c.readerDone = true
	c.mu.Unlock()
	c.Close(reason)
	c.mu.Lock()
	c.hangUp()
	c.mu.Unlock()
}

// Probe implements Conn. One probe in a while is enough: whoever claims the id of another again and again must not
// make the tracker send as many pings.
func (c *conn) Probe() {
	now := c.server.clock()
	last := c.lastProbe.Load()
	if last != 0 && now-last < probeTimeout.Milliseconds() || !c.lastProbe.CompareAndSwap(last, now) {
		return
	}
	if c.probed.CompareAndSwap(0, now) {
		c.ping()
		c.server.watch(c)
	}
}

func (c *conn) ping() {
	c.owed.Add(1)
	c.frame(opPing, nil)
}

// ponged notes a pong. One that was asked for is no chatter, however many were.
func (c *conn) ponged() {
	if c.owed.Load() > 0 { // only the reader takes away
		c.owed.Add(-1)
		return
	}
	c.chat()
}

// read is the life of the connection.
func (c *conn) read(handler Handler, client Client) {
	session := handler.Open(c, client)
	defer c.server.gone(c, session)
	c.ws.SetReadLimit(int64(c.server.cfg.MessageBytes))
	c.ws.SetPingHandler(func(data string) error {
		c.alive()
		c.chat()
		c.frame(opPong, []byte(data))
		return nil
	})
	c.ws.SetPongHandler(func(string) error {
		c.alive()
		c.ponged()
		return nil
	})
	c.ws.SetCloseHandler(func(code int, _ string) error {
		c.frame(opClose, websocket.FormatCloseMessage(code, ""))
		return nil
	})
	for {
		kind, r, err := c.ws.NextReader()
		var m *Message
		if err == nil {
			m, err = readMessage(r)
		}
		if err != nil {
			c.finished(readReason(err))
			return
		}
		c.alive()
		c.lastMessage.Store(c.server.clock())
		if kind != websocket.TextMessage {
			c.server.metrics.binary.Inc()
			c.chat()
			m.Release()
			continue
		}
		session.Message(m)
	}
}

// maxChatter is how many frames a client may send between two keep-alives without saying anything.
const maxChatter = 200

// chat counts a frame that says nothing; a flood of them costs the socket, as one of messages does.
func (c *conn) chat() {
	if c.chatter.Add(1) > maxChatter {
		c.Close(ReasonFlood)
	}
}

func (c *conn) alive() {
	c.lastFrame.Store(c.server.clock())
	c.probed.Store(0)
}

// readReason tells a client that breaks rules from one that is gone.
func readReason(err error) Reason {
	var ce *websocket.CloseError
	var ne net.Error
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return ReasonTooLarge
	case errors.Is(err, errTooFast):
		return ReasonFlood
	case errors.As(err, &ce), errors.As(err, &ne), errors.Is(err, net.ErrClosed):
		return ReasonClient
	}
	return ReasonProtocol
}

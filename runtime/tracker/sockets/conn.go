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
	// raw is the connection below TLS. Closing it never blocks, while closing a TLS connection sends an alert first
	// and may block on a client that does not read, and with it a shard.
	raw     net.Conn
	address netip.Addr
	seeder  bool

	// Milliseconds since the server started: of the last frame and of the last message (0 if none came yet); probed is
	// when the unanswered probe was sent (0 if there is none), and lastProbe when the last probe was sent.
	lastFrame, lastMessage, probed, lastProbe atomic.Int64
	opened                                    int64
	slot                                      int // in the keep-alive wheel
	// framesWithoutMessage counts frames since the last keep-alive that are not passed to the session: pings, unsolicited
	// pongs, binary messages. pongsDue is the number of pings sent whose pongs have not arrived.
	framesWithoutMessage, pongsDue atomic.Int32

	mu         sync.Mutex
	queue      *[]byte // frames waiting; nil when there are none
	writing    bool    // a flush runs
	closing    bool    // no more frames
	readerDone bool    // nothing more is read from the client
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

// flush writes the queued frames until the queue is empty. At most one flush runs per connection.
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
			timeout = min(timeout, closeTimeout)
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

// closeTimeout is how long a closing connection may take to send queued frames and to receive the client's close frame.
const closeTimeout = time.Second

// hangUp ends a closing connection whose frames have been written: at once if the reader has ended, else after the
// client had time for its own close frame. The caller holds the lock.
func (c *conn) hangUp() {
	switch {
	case !c.closing || c.writing:
	case c.readerDone:
		_ = c.raw.Close() // nothing is left to send or read
	default:
		_ = c.net.SetReadDeadline(time.Now().Add(closeTimeout)) // fails only if closed already
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
		// A client that does not read gets no close frame.
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
	_ = c.net.SetWriteDeadline(time.Now().Add(closeTimeout)) // fails only if closed already
}

// readerEnded records that nothing more is read from the client.
func (c *conn) readerEnded(reason Reason) {
	c.mu.Lock()
	c.readerDone = true
	c.mu.Unlock()
	c.Close(reason)
	c.mu.Lock()
	c.hangUp()
	c.mu.Unlock()
}

// Probe implements Conn. Probes are limited in rate: a client that keeps claiming another client's id must not make the
// tracker send a ping each time.
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
	c.pongsDue.Add(1)
	c.frame(opPing, nil)
}

// pongReceived counts a pong, unless it answers one of the tracker's pings.
func (c *conn) pongReceived() {
	if c.pongsDue.Load() > 0 { // only the reader decrements
		c.pongsDue.Add(-1)
		return
	}
	c.countFrameWithoutMessage()
}

// read reads messages until the connection ends.
func (c *conn) read(handler Handler, client Client) {
	session := handler.Open(c, client)
	defer c.server.finish(c, session)
	c.ws.SetReadLimit(int64(c.server.cfg.MessageBytes))
	c.ws.SetPingHandler(func(data string) error {
		c.frameReceived()
		c.countFrameWithoutMessage()
		c.frame(opPong, []byte(data))
		return nil
	})
	c.ws.SetPongHandler(func(string) error {
		c.frameReceived()
		c.pongReceived()
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
			c.readerEnded(readReason(err))
			return
		}
		c.frameReceived()
		c.lastMessage.Store(c.server.clock())
		if kind != websocket.TextMessage {
			c.server.metrics.binary.Inc()
			c.countFrameWithoutMessage()
			m.Release()
			continue
		}
		session.Message(m)
	}
}

// maxFramesWithoutMessage is how many frames without a text message a client may send between two keep-alives.
const maxFramesWithoutMessage = 200

// countFrameWithoutMessage counts a frame that carries no text message. A flood of them closes the socket, as a flood of
// messages does.
func (c *conn) countFrameWithoutMessage() {
	if c.framesWithoutMessage.Add(1) > maxFramesWithoutMessage {
		c.Close(ReasonFlood)
	}
}

func (c *conn) frameReceived() {
	c.lastFrame.Store(c.server.clock())
	c.probed.Store(0)
}

// readReason distinguishes clients that violate the protocol or a limit from clients that left.
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

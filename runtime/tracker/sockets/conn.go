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
	// server.mu guards what follows: group may change, older and newer are its other viewers in the order in which they came,
	// and yields is true once the connection is closed in favour of another group.
	group        *Group
	older, newer *conn
	yields       bool

	// Milliseconds since the server started: of the last frame and of the last message (0 if none came yet); probed is
	// when the unanswered probe was sent (0 if there is none), and lastProbe when the last probe was sent.
	lastFrame, lastMessage, probed, lastProbe atomic.Int64
	opened                                    int64
	slot                                      int // in the keep-alive wheel
	// framesWithoutMessage counts frames since the last keep-alive that are not passed to the session: pings, unsolicited
	// pongs, binary messages. pongsDue is the number of pings sent whose pongs have not arrived.
	framesWithoutMessage, pongsDue atomic.Int32

	// held is how many bytes of messages and queued frames the socket holds, idleHeld how many it keeps for reading.
	held, idleHeld atomic.Int64

	reader reader

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
	queued, full := c.enqueue(opcode, payload)
	if full {
		c.Close(ReasonSlow)
	}
	return queued
}

// enqueue queues a frame and sees to it that a flush runs. full is true if the queue has no room for the frame.
func (c *conn) enqueue(opcode byte, payload []byte) (queued, full bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return false, false
	case c.queue != nil && len(*c.queue)+len(payload) > c.sendLimit(), len(payload) > c.sendLimit():
		return false, true
	}
	c.appendFrame(opcode, payload)
	if !c.writing {
		c.writing = true
		go c.flush()
	}
	return true, false
}

// appendFrame adds a frame to the queue. The caller holds the lock.
func (c *conn) appendFrame(opcode byte, payload []byte) {
	before := 0
	if c.queue == nil {
		c.queue = queues.Get().(*[]byte)
	} else {
		before = cap(*c.queue)
	}
	*c.queue = appendFrame(*c.queue, opcode, payload)
	c.hold(cap(*c.queue) - before)
}

// release frees a buffer of frames.
func (c *conn) release(q *[]byte) {
	c.hold(-cap(*q))
	releaseQueue(q)
}

// flush writes the queued frames until the queue is empty. At most one flush runs per connection.
func (c *conn) flush() {
	defer func() {
		if p := recover(); p != nil {
			c.server.cfg.Panicked("socket", p)
			c.abort()
		}
	}()
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
		if err := c.write(q, closing); err != nil {
			reason := ReasonClient
			if errors.Is(err, os.ErrDeadlineExceeded) {
				reason = ReasonSlow
			}
			c.Close(reason)
			_ = c.raw.Close() // the write has failed already
		}
	}
}

// write writes a buffer of frames and frees it.
func (c *conn) write(q *[]byte, closing bool) error {
	defer c.release(q)
	timeout := c.server.cfg.WriteTimeout
	if closing {
		timeout = min(timeout, closeTimeout)
	}
	if err := c.net.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	_, err := c.net.Write(*q)
	return err
}

// abort ends the connection after a panic in flush, without a close frame.
func (c *conn) abort() {
	c.Close(ReasonInternal)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropQueue()
	c.writing = false
	_ = c.raw.Close() // ends the reader
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
		c.dropQueue()
		_ = c.raw.Close() // ends reader and flusher
		return
	case ReasonMemory:
		c.dropQueue()
		if c.writing {
			_ = c.raw.Close() // the bytes that are being written are free only then
			return
		}
		_ = c.net.SetReadDeadline(time.Now()) // the reader frees its message
	case ReasonClient:
		c.hangUp()
		return
	}
	status := reason.status()
	c.appendFrame(opClose, append([]byte{byte(status >> 8), byte(status)}, reason.String()...))
	if !c.writing {
		c.writing = true
		go c.flush()
		return
	}
	_ = c.net.SetWriteDeadline(time.Now().Add(closeTimeout)) // fails only if closed already
}

// dropQueue frees the frames that wait. The caller holds the lock.
func (c *conn) dropQueue() {
	if c.queue != nil {
		c.release(c.queue)
		c.queue = nil
	}
}

// ending reports whether the connection is being closed.
func (c *conn) ending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// recovered is deferred by the reader: a panic ends this socket and no other.
func (c *conn) recovered() {
	p := recover()
	if p == nil {
		return
	}
	c.server.cfg.Panicked("socket", p)
	if m := c.reader.handled; m != nil {
		m.disown() // the handler may still refer to it
	}
	c.readerEnded(ReasonInternal)
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

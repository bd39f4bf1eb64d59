package sockets

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// readBufferBytes is the buffer that every socket keeps for reading. An answer, the most frequent message, fits and takes
// one system call. The rest of a larger message bypasses the buffer.
const readBufferBytes = 1536

// reader is what only the goroutine that reads from a socket uses.
type reader struct {
	// inMessage is true from the header of a message's first frame to the message's end, and timed once the message has a
	// deadline: when a part of it had not arrived yet.
	inMessage, timed bool
	// handled is the message that the session is being given.
	handled *Message
	// tls is the connection below TLS, whose reads show how large the buffer for TLS records is; nil without TLS.
	tls interface{ LargestRead() int }
}

// beforeRead is called before each read from the network. If a message is being read, a part of it is missing, so its
// deadline begins. Frames between its fragments, such as answers to pings, do not change that deadline. Messages that
// have arrived in whole need none, which saves a timer for most of them.
func (c *conn) beforeRead() {
	if !c.reader.inMessage || c.reader.timed {
		return
	}
	c.reader.timed = true
	c.setReadDeadline(time.Now().Add(c.server.cfg.MessageTimeout))
}

// afterRead counts the buffer for TLS records, which a connection keeps at the size of the largest record so far.
func (c *conn) afterRead() {
	if t := c.reader.tls; t != nil {
		if n := readBufferBytes + t.LargestRead(); int64(n) > c.idleHeld.Load() {
			c.holdIdle(n)
		}
	}
}

// setReadDeadline sets the time until which the client's bytes are waited for; zero is no limit. Once the connection is
// being closed, hangUp sets it.
func (c *conn) setReadDeadline(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.net.SetReadDeadline(at) // fails only if closed already
	}
}

// next reads one message. The caller releases it.
func (c *conn) next() (kind int, m *Message, err error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return 0, nil, err
	}
	c.reader.inMessage = true
	if m, err = readMessage(r, c); err != nil {
		return 0, nil, err
	}
	c.reader.inMessage = false
	if c.reader.timed {
		c.reader.timed = false
		c.setReadDeadline(time.Time{})
	}
	return kind, m, nil
}

// read reads messages until the connection ends.
func (c *conn) read(handler Handler, client Client) {
	var session Session
	defer func() { c.server.finish(c, session) }()
	defer c.recovered()
	session = handler.Open(c, client)
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
		kind, m, err := c.next()
		if err != nil {
			c.readerEnded(c.readReason(err))
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
		c.reader.handled = m
		session.Message(m)
		c.reader.handled = nil
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
func (c *conn) readReason(err error) Reason {
	var ce *websocket.CloseError
	var ne net.Error
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return ReasonTooLarge
	case errors.Is(err, errTooFast):
		return ReasonFlood
	case c.reader.timed && errors.As(err, &ne) && ne.Timeout():
		return ReasonUnfinished
	case errors.As(err, &ce), errors.As(err, &ne), errors.Is(err, net.ErrClosed):
		return ReasonClient
	}
	return ReasonProtocol
}

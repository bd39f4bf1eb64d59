// Package sockets owns the tracker's sockets: upgrading, reading, writing without ever blocking the caller, keeping
// alive, and cutting off clients that are slow, silent or dead. What the messages mean is a Handler's business.
//
// An idle socket has one goroutine, which waits in a read, and no buffer but a small one for frame headers:
// messages are read into pooled buffers, and frames to be sent wait in a pooled buffer that a short-lived goroutine
// writes out, as many frames in one system call as there are. Frames are built here and not by gorilla/websocket,
// whose writer takes one system call a frame and blocks its caller.
package sockets

// Conn is one client's connection, as handlers see it.
type Conn interface {
	// Send queues one text message and returns at once; msg may be used again afterwards. It reports false if the
	// connection is closing, or if the client reads too slowly; then the connection is being cut.
	Send(msg []byte) bool
	// Probe asks for a sign of life: if none comes within seconds, the connection is closed.
	Probe()
	// Close ends the connection, with the reason in the close frame. It returns at once.
	Close(reason Reason)
}

// Session is what a Handler keeps for one connection. Its methods are called one after another.
type Session interface {
	// Message takes one text message; the session owns m and releases it. It may block: nothing more is read from
	// this client meanwhile.
	Message(m *Message)
	// Closed is called once, last.
	Closed()
}

// Handler makes sessions.
type Handler interface {
	Open(c Conn, client Client) Session
}

// Client is what is known of who connects.
type Client struct {
	// Seeder says that the right token was presented.
	Seeder bool
	// Session is the `session` parameter of the request, if any, cut to 256 bytes: what a seeder calls itself in its
	// reports.
	Session string
}

// Reason is why a connection is closed.
type Reason uint8

// Reasons to close a connection.
const (
	ReasonClient   Reason = iota // the client left, or its network did
	ReasonDrain                  // the tracker ends
	ReasonSlow                   // the client does not read
	ReasonDead                   // nothing came back to pings
	ReasonIdle                   // no message for long
	ReasonFlood                  // too many messages
	ReasonTooLarge               // a message above the limit
	ReasonProtocol               // broken frames
	reasons
)

var reasonNames = [reasons]string{"client", "drain", "slow", "dead", "idle", "flood", "too_large", "protocol"}

// String returns the reason as it stands in metrics.
func (r Reason) String() string { return reasonNames[r] }

// status is the close code of RFC 6455 §7.4.1.
func (r Reason) status() uint16 {
	switch r {
	case ReasonDrain:
		return 1001
	case ReasonTooLarge:
		return 1009
	case ReasonProtocol:
		return 1002
	case ReasonFlood, ReasonSlow:
		return 1008
	}
	return 1000
}

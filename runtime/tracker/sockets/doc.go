// Package sockets owns the tracker's WebSocket connections: it upgrades requests, reads messages, writes frames without
// blocking the caller, keeps connections alive, and closes those of slow, silent or dead clients. A Handler interprets
// the messages.
//
// An idle socket has one goroutine, blocked in a read, and only a small buffer for frame headers: messages are read into
// pooled buffers, and frames to be sent are queued in a pooled buffer that a short-lived goroutine writes, all queued
// frames in one system call. Frames are built here and not by gorilla/websocket, whose writer makes one system call per
// frame and blocks its caller. What all sockets hold together has a budget; above it, those that hold most are closed.
package sockets

import (
	"net/netip"

	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// Conn is one client's connection, as handlers see it.
type Conn interface {
	// Send queues one text message and returns at once; msg may be reused afterwards. It returns false if the connection
	// is closing, or if the client reads too slowly; then the connection is closed.
	Send(msg []byte) bool
	// Probe sends a ping: if no frame arrives within seconds, the connection is closed.
	Probe()
	// Close ends the connection, with the reason in the close frame. It returns at once.
	Close(reason Reason)
}

// Session is a Handler's state for one connection. Its methods are not called concurrently.
type Session interface {
	// Message handles one text message; the session owns m and releases it. It may block: meanwhile nothing more is
	// read from this client.
	Message(m *Message)
	// Closed is called once, last.
	Closed()
}

// Handler makes sessions.
type Handler interface {
	Open(c Conn, client Client) Session
}

// Client describes the connecting client.
type Client struct {
	// Seeder says that the client presented the seeder token.
	Seeder bool
	// Address is what counts as one client address; see package addresses.
	Address netip.Addr
	// Session is the `session` parameter of the request, if any, cut to 256 bytes: the session id in a seeder's reports.
	Session string
	// Site is the `site` parameter of a seeder's request, if any: the site of an edge seeder. The door has checked it.
	Site string
	// Join is the credential of an edge seeder that has no seeder token; empty for all others.
	Join joins.Credential
	// Ticket is what the client presented, with an empty session if it had none.
	Ticket tickets.Ticket
	// Remote is the client's address.
	Remote netip.Addr
	// Origin, Host and Presented, the text of a ticket, are what the request said, if the group keeps it; each is cut to 256
	// bytes.
	Origin, Host, Presented string
}

// Refusal is why a client may not connect.
type Refusal struct {
	Limit  string // in the metric, one of those registered
	Status int    // of HTTP
	Text   string // for the developer of the client
}

// Reason is why a connection is closed.
type Reason uint8

// Reasons to close a connection.
const (
	ReasonClient     Reason = iota // the client left, or its network did
	ReasonDrain                    // the tracker shuts down
	ReasonSlow                     // the client does not read
	ReasonDead                     // the client does not answer pings
	ReasonIdle                     // no message for too long
	ReasonFlood                    // too many messages
	ReasonTooLarge                 // a message above the limit
	ReasonProtocol                 // malformed frames
	ReasonUnfinished               // a message whose end does not come
	ReasonMemory                   // one of those that hold most, when all sockets together hold too much
	ReasonInternal                 // a panic, which is a bug of the tracker
	ReasonEnded                    // a credential that was revoked, or has expired
	ReasonShare                    // in favour of another group, which has less for its weight
	reasons
)

var reasonNames = [reasons]string{"client", "drain", "slow", "dead", "idle", "flood", "too_large", "protocol",
	"unfinished_message", "memory", "internal", "credential_ended", "share"}

// String returns the reason as used in metrics and close frames.
func (r Reason) String() string { return reasonNames[r] }

// status is the close code of RFC 6455 §7.4.1 and IANA's registry of close codes.
func (r Reason) status() uint16 {
	switch r {
	case ReasonDrain:
		return 1001
	case ReasonTooLarge:
		return 1009
	case ReasonProtocol:
		return 1002
	case ReasonFlood, ReasonSlow, ReasonUnfinished, ReasonEnded:
		return 1008
	case ReasonMemory, ReasonShare:
		return 1013 // try again later
	case ReasonInternal:
		return 1011
	}
	return 1000
}

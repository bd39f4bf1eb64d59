package session

import (
	"errors"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Bounds on what one connection may ask of this peer.
const (
	commandsPerSecond     = 100
	commandBurst          = 400
	commandBytes          = 4 << 10   // a message counts as one command, and as one more for every so many bytes
	malformedCost         = 20        // commands that one malformed message counts as
	unrequestedPerSecond  = 256 << 10 // bytes that were not requested
	unrequestedBurst      = 16 << 20  // some bytes follow every cancel
	minUnrequestedMessage = 1 << 10   // bytes that the smallest message counts as
)

// Causes for which a connection is closed by this peer.
var (
	errCommandFlood     = errors.New("too many commands")
	errUnrequestedBytes = errors.New("too many bytes that were not requested")
	errProtocol         = errors.New("peer broke the protocol")
	errUnreliable       = errors.New("peer does not deliver what it announces")
	errWrongBytes       = errors.New("peer passes on a segment that is not the origin's")
)

func reasonOf(cause error) traffic.Reason {
	switch {
	case errors.Is(cause, errCommandFlood):
		return traffic.CommandFlood
	case errors.Is(cause, errUnrequestedBytes):
		return traffic.UnrequestedBytes
	case errors.Is(cause, errUnreliable):
		return traffic.Unreliable
	case errors.Is(cause, errWrongBytes):
		return traffic.WrongBytes
	case errors.Is(cause, mesh.ErrQueueFull):
		return traffic.NotReading
	}
	return traffic.ProtocolError
}

// disconnect closes the connection, and counts it the first time.
func (s *Session) disconnect(cause error) {
	if s.disconnected.CompareAndSwap(false, true) {
		s.cfg.Counters.Disconnects[reasonOf(cause)].Add(1)
	}
	s.conn.Close(cause)
}

// Convict cuts off a peer whose segment is not the origin's. It may be called by any goroutine.
func (s *Session) Convict() { s.disconnect(errWrongBytes) }

// Blame counts a failure of the peer to deliver what it announced, and closes the connection if it is not reliable.
func (s *Session) Blame(unreliable bool) {
	s.cfg.Counters.PeersBlamed.Add(1)
	if unreliable {
		s.disconnect(errUnreliable)
	}
}

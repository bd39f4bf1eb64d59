package session

import (
	"errors"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Bounds on what one connection may ask of this peer, and on how often it may fail to deliver.
const (
	commandsPerSecond     = 100
	commandBurst          = 400
	commandBytes          = 4 << 10   // a message counts as one command, and as one more for every so many bytes
	malformedCost         = 20        // commands that one malformed message counts as
	unrequestedPerSecond  = 256 << 10 // bytes that were not requested
	unrequestedBurst      = 16 << 20  // some bytes follow every cancel
	minUnrequestedMessage = 1 << 10   // bytes that the smallest message counts as

	firstAvoid   = time.Second // how long a peer that did not deliver is asked for nothing, doubled each time
	longestAvoid = 30 * time.Second
	unreliableAt = 8                // failures, halved at each success
	minClaim     = 10 * time.Second // how long a peer's claim to be fetching a segment counts, at least,
	claimTargets = 3                // or so many target durations
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

// RecordFailure notes that the peer did not deliver what it announced. It is asked for nothing for a while, longer each
// time, so that it cannot delay one segment after the other. The rendition's owner calls it.
func (s *Session) RecordFailure(now time.Time) {
	s.failures++
	s.cfg.Counters.PeersBlamed.Add(1)
	s.avoidUntil = now.Add(avoidFor(s.failures))
	if s.failures >= unreliableAt {
		s.disconnect(errUnreliable)
	}
}

// avoidFor is how long a peer is asked for nothing after so many failures.
func avoidFor(failures int) time.Duration {
	return backoff.Doubled(firstAvoid, longestAvoid, failures-1)
}

// RecordSuccess notes that the peer delivered a segment. The rendition's owner calls it.
func (s *Session) RecordSuccess() {
	s.failures /= 2
	s.avoidUntil = time.Time{}
}

// Usable tells whether the peer may be asked for what it announces at now. The rendition's owner calls it.
func (s *Session) Usable(now time.Time) bool { return !now.Before(s.avoidUntil) }

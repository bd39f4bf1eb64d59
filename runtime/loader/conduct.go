package loader

import (
	"errors"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Bounds on what one connection may ask of this peer, and on what it may fail to do.
const (
	commandsPerSecond = 100
	commandBurst      = 400
	commandBytes      = 4 << 10   // a message counts as one command, and as one more for every so many bytes
	nonsense          = 20        // commands that one undecodable message counts as
	strayPerSecond    = 256 << 10 // bytes nobody asked for
	strayBurst        = 16 << 20  // a few follow every cancel
	strayMessage      = 1 << 10   // bytes that the smallest message counts as

	firstShun     = time.Second // how long a peer that did not deliver is asked for nothing, doubled each time
	longestShun   = 30 * time.Second
	unreliableAt  = 8                // failures, less a half at each success
	leastLoading  = 10 * time.Second // how long it is believed that a peer is fetching a segment, at least,
	loadingTarget = 3                // or so many target durations
)

// Causes for which a connection is closed by this peer.
var (
	errCommandFlood = errors.New("too many commands")
	errStrayBytes   = errors.New("too many bytes that nobody asked for")
	errTooManyPeers = errors.New("peer limit reached")
	errProtocol     = errors.New("peer broke the protocol")
	errUnreliable   = errors.New("peer does not deliver what it announces")
)

func reasonOf(cause error) traffic.Reason {
	switch {
	case errors.Is(cause, errCommandFlood):
		return traffic.CommandFlood
	case errors.Is(cause, errStrayBytes):
		return traffic.UnrequestedBytes
	case errors.Is(cause, errUnreliable):
		return traffic.Unreliable
	case errors.Is(cause, errTooManyPeers):
		return traffic.PeerLimit
	case errors.Is(cause, mesh.ErrQueueFull):
		return traffic.NotReading
	}
	return traffic.ProtocolError
}

// cutOff closes the connection, and counts it the first time.
func (s *session) cutOff(cause error) {
	if s.cut.CompareAndSwap(false, true) {
		s.r.e.counters.Disconnects[reasonOf(cause)].Add(1)
	}
	s.peer.Close(cause)
}

// blame notes that the peer did not deliver what it announced. It is asked for nothing for a while, longer each time,
// so that it cannot hold up one segment after the other. The rendition's owner calls it.
func (s *session) blame(now time.Time) {
	s.failures++
	s.r.e.counters.PeersBlamed.Add(1)
	s.shunned = now.Add(min(firstShun<<min(s.failures-1, 10), longestShun))
	if s.failures >= unreliableAt {
		s.cutOff(errUnreliable)
	}
}

// praise notes that it did.
func (s *session) praise() {
	s.failures /= 2
	s.shunned = time.Time{}
}

// believed tells whether what the peer announces counts at the moment.
func (s *session) believed(now time.Time) bool { return !now.Before(s.shunned) }

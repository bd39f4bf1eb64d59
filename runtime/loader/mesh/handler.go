package mesh

import "errors"

// Handler is called for the peers of one swarm. Calls for one peer are sequential: PeerOpened first,
// PeerClosed last and exactly once. Calls for different peers run in parallel. A call that blocks
// stops the reading of that peer only.
type Handler interface {
	PeerOpened(p *Peer)
	// PeerMessage hands over one message; msg is valid only during the call.
	PeerMessage(p *Peer, msg []byte)
	// PeerClosed says why: one of this package's errors, the cause given to Peer.Close, or what the
	// transport said.
	PeerClosed(p *Peer, cause error)
}

// Errors of peers, and causes given to PeerClosed.
var (
	// ErrQueueFull says that the message was not queued because the peer reads too slowly.
	ErrQueueFull = errors.New("send queue is full")
	// ErrPeerClosed says that the connection is closed.
	ErrPeerClosed = errors.New("peer is closed")
	// ErrMessageSize says that the message is longer than NodeConfig.MaxMessageSize.
	ErrMessageSize = errors.New("message is too long")
	// ErrRemoteClosed says that the other end closed the connection or the channel.
	ErrRemoteClosed = errors.New("closed by the other end")
	// ErrConnectionLost says that ICE found the other end unreachable.
	ErrConnectionLost = errors.New("connection lost")
	// ErrWriteStall says that the other end took no bytes for NodeConfig.WriteStall.
	ErrWriteStall = errors.New("the other end reads no bytes")
	// ErrLeft says that this node left the swarm.
	ErrLeft = errors.New("left the swarm")
	// ErrNodeClosed says that the node was closed.
	ErrNodeClosed = errors.New("node is closed")
)

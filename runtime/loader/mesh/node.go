package mesh

import (
	"context"
	"errors"
	"log/slog"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/prometheus/client_golang/prometheus"
)

const sctpMaxMessageSize = 65536

// Node holds what all swarms of one program share.
type Node struct{}

// NewNode makes a node.
func NewNode(cfg NodeConfig, log *slog.Logger, reg prometheus.Registerer) (*Node, error) {
	return nil, errors.New("not yet")
}

// Close leaves all swarms and waits for every goroutine.
func (n *Node) Close() error { return nil }

// Join enters a swarm and returns at once.
func (n *Node) Join(ctx context.Context, cfg SwarmConfig) (*Swarm, error) {
	return nil, errors.New("not yet")
}

// Swarm is this node's membership in one swarm.
type Swarm struct{}

// Withdraw says goodbye to the trackers and takes no new peers; open ones live on.
func (s *Swarm) Withdraw() {}

// Leave withdraws, closes all peers and waits for the swarm's goroutines. It must not be called from a Handler.
func (s *Swarm) Leave() {}

// Peers is the number of open connections.
func (s *Swarm) Peers() int { return 0 }

// Peer is one open connection.
type Peer struct{}

// ID is the other end's peer id, as the tracker told it.
func (p *Peer) ID() identity.PeerID { return "" }

// Swarm is the membership that the connection belongs to.
func (p *Peer) Swarm() *Swarm { return nil }

// Send queues one binary message, or says why not. It never blocks and copies msg.
func (p *Peer) Send(msg []byte) error { return ErrPeerClosed }

// SendWait queues one binary message once there is room. It copies msg.
func (p *Peer) SendWait(ctx context.Context, msg []byte) error { return ErrPeerClosed }

// Done is closed when the connection is closed.
func (p *Peer) Done() <-chan struct{} { return nil }

// Close closes the connection at once; PeerClosed is called with cause. It does not wait.
func (p *Peer) Close(cause error) {}

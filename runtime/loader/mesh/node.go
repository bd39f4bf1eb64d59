package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Node holds what all swarms of one program share: the certificate, the UDP port of a seeder, the
// tracker sockets, and the bounds on handshakes and offers.
type Node struct {
	cfg     NodeConfig
	log     *slog.Logger
	metrics *metrics
	engine  *engine
	gate    *gate
	ctx     context.Context // the node's own life
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	reached     atomic.Bool // a tracker has let us in
	offers      atomic.Int64
	connections atomic.Int64

	mu     sync.Mutex
	closed bool
	links  []*link
	// foreign are the trackers that turned out not to be ours.
	foreign map[string]bool
	swarms  map[*Swarm]struct{}

	peersMu sync.Mutex
	peers   map[*Peer]struct{}
}

// NewNode makes a node; with cfg.Listen it binds the UDP port. reg may be nil. Errors name the field of
// cfg or the address that cannot be used.
func NewNode(cfg NodeConfig, log *slog.Logger, reg prometheus.Registerer) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	e, err := newEngine(cfg, log, m)
	if err != nil {
		return nil, fmt.Errorf("preparing WebRTC: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{
		cfg: cfg, log: log, metrics: m, engine: e,
		gate: newGate(cfg.HandshakeLimit, m),
		ctx:  ctx, cancel: cancel,
		foreign: map[string]bool{},
		swarms:  map[*Swarm]struct{}{},
		peers:   map[*Peer]struct{}{},
	}
	m.handshakesLimit.Add(float64(cfg.HandshakeLimit))
	m.offersLimit.Add(float64(cfg.MaxOffers))
	n.wg.Go(n.sweep)
	return n, nil
}

// TrackerReached tells whether any tracker has ever accepted a socket of this node, with its token if it has one.
func (n *Node) TrackerReached() bool { return n.reached.Load() }

// Unsent is how many bytes wait to be sent to peers or to be acknowledged by them.
func (n *Node) Unsent() int {
	n.peersMu.Lock()
	defer n.peersMu.Unlock()
	sum := 0
	for p := range n.peers {
		sum += p.Buffered()
	}
	return sum
}

func (n *Node) token(tracker string) string {
	if n.cfg.Token == nil {
		return ""
	}
	return n.cfg.Token(tracker)
}

// Addrs are the UDP addresses that a seeder's connections share; empty for a viewer.
func (n *Node) Addrs() []net.Addr {
	if n.engine.mux == nil {
		return nil
	}
	return n.engine.mux.GetListenAddresses()
}

// Join enters a swarm and returns at once. It announces, answers and reconnects until ctx ends or the
// swarm is left; it fails only on an unusable cfg or a closed node.
func (n *Node) Join(ctx context.Context, cfg SwarmConfig) (*Swarm, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := newSwarm(n, cfg.withDefaults())
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil, ErrNodeClosed
	}
	n.swarms[s] = struct{}{}
	n.wg.Go(func() {
		s.loop(ctx)
		n.mu.Lock()
		delete(n.swarms, s)
		n.mu.Unlock()
	})
	n.mu.Unlock()
	return s, nil
}

// Close leaves all swarms, closes the UDP port and waits for every goroutine. It must not be called from
// a Handler.
func (n *Node) Close() error {
	n.mu.Lock()
	n.closed = true
	swarms := make([]*Swarm, 0, len(n.swarms))
	for s := range n.swarms {
		swarms = append(swarms, s)
	}
	n.mu.Unlock()
	n.gate.close()
	for _, s := range swarms {
		s.end(ErrNodeClosed)
	}
	for _, s := range swarms {
		<-s.dead
	}
	n.cancel()
	n.wg.Wait()
	n.metrics.handshakesLimit.Sub(float64(n.cfg.HandshakeLimit))
	n.metrics.offersLimit.Sub(float64(n.cfg.MaxOffers))
	return n.engine.close()
}

// takeOffers grants up to want of the offers that the node may have unanswered at one time.
func (n *Node) takeOffers(want int) int {
	for {
		have := n.offers.Load()
		grant := min(int64(want), int64(n.cfg.MaxOffers)-have)
		if grant <= 0 {
			return 0
		}
		if n.offers.CompareAndSwap(have, have+grant) {
			n.metrics.offers.Add(float64(grant))
			return int(grant)
		}
	}
}

func (n *Node) giveOffers(count int) {
	n.offers.Add(-int64(count))
	n.metrics.offers.Sub(float64(count))
}

// admits says whether the node may hold one more connection.
func (n *Node) admits() bool {
	return n.cfg.MaxPeers == 0 || n.connections.Load() < int64(n.cfg.MaxPeers)
}

// sweep cuts off peers that take no bytes. One goroutine looks at all of them, since a timer in each
// connection would cost more than the look.
func (n *Node) sweep() {
	tick := time.NewTicker(max(n.cfg.WriteStall/10, 20*time.Millisecond))
	defer tick.Stop()
	var peers []*Peer
	for {
		select {
		case <-n.ctx.Done():
			return
		case now := <-tick.C:
			peers = peers[:0]
			n.peersMu.Lock()
			for p := range n.peers {
				peers = append(peers, p)
			}
			n.peersMu.Unlock()
			for _, p := range peers {
				if p.stalled(now, n.cfg.WriteStall) {
					p.Close(ErrWriteStall)
				}
			}
			clear(peers)
		}
	}
}

func closeReason(cause error) string {
	switch {
	case errors.Is(cause, ErrRemoteClosed):
		return reasonRemote
	case errors.Is(cause, ErrConnectionLost):
		return reasonICE
	case errors.Is(cause, ErrWriteStall):
		return reasonStall
	case errors.Is(cause, ErrMessageSize), errors.Is(cause, errTooManyChannels):
		return reasonMisuse
	case errors.Is(cause, ErrLeft), errors.Is(cause, ErrNodeClosed):
		return reasonLeft
	default:
		return reasonLocal
	}
}

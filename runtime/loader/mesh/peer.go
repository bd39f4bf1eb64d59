package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

const (
	// smallRead is enough for nearly all commands: an idle connection holds no large buffer.
	smallRead = 1 << 10
	// commandReserve is what Send may queue beyond what media chunks may fill, so that an upload at full
	// speed does not keep announcements back.
	commandReserve = 64 << 10
)

var readBuffers = sync.Pool{New: func() any { return new([sctpMaxMessageSize]byte) }}

// Peer is one open connection.
type Peer struct {
	id       identity.PeerID
	origin   atomic.Pointer[signaling.Origin]
	swarm    *Swarm
	pc       *webrtc.PeerConnection
	dc       *webrtc.DataChannel
	raw      datachannel.ReadWriteCloser
	outgoing bool
	max      int
	low      uint64

	writeMu sync.Mutex
	turn    chan struct{} // held by the one SendWait that waits for room
	room    chan struct{} // filled when the buffered amount has fallen
	done    chan struct{}
	once    sync.Once
	cause   error

	sent, received atomic.Int64
	writing        atomic.Int64 // Unix nanoseconds since when a message is being handed over; 0: none is

	// Only for the sweep.
	acked   int64
	ackedAt time.Time
}

func newPeer(s *Swarm, a *attempt, dc *webrtc.DataChannel, raw datachannel.ReadWriteCloser) *Peer {
	cfg := s.node.cfg
	p := &Peer{
		id: a.remote, swarm: s, pc: a.pc, dc: dc, raw: raw, outgoing: a.outgoing,
		max:  cfg.MaxMessageSize,
		low:  uint64(max(cfg.QueueBytes-cfg.MaxMessageSize, 0)),
		turn: make(chan struct{}, 1),
		room: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	origin := a.origin
	p.origin.Store(&origin)
	if remote := int(dc.Transport().GetCapabilities().MaxMessageSize); remote > 0 {
		p.max = min(p.max, remote)
	}
	dc.SetBufferedAmountLowThreshold(p.low)
	dc.OnBufferedAmountLow(func() {
		select {
		case p.room <- struct{}{}:
		default:
		}
	})
	return p
}

// ID is the other end's peer id, as the tracker told it.
func (p *Peer) ID() identity.PeerID { return p.id }

// Origin is where the other end is, as the tracker told it last; zero if that has no sites.
func (p *Peer) Origin() signaling.Origin { return *p.origin.Load() }

// Swarm is the membership that the connection belongs to.
func (p *Peer) Swarm() *Swarm { return p.swarm }

// Outgoing says whether this end made the offer.
func (p *Peer) Outgoing() bool { return p.outgoing }

// MaxMessageSize is the largest message that both ends take, in bytes.
func (p *Peer) MaxMessageSize() int { return p.max }

// Buffered is how many bytes wait to be sent or acknowledged.
func (p *Peer) Buffered() int { return int(p.dc.BufferedAmount()) } // bounded by the queue

// SentBytes counts the bytes of messages handed to the channel.
func (p *Peer) SentBytes() int64 { return p.sent.Load() }

// ReceivedBytes counts the bytes of messages read from the channel.
func (p *Peer) ReceivedBytes() int64 { return p.received.Load() }

// Done is closed as soon as the connection is being closed.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Send queues one binary message and never blocks. It copies msg. Errors: ErrQueueFull, ErrPeerClosed,
// ErrMessageSize.
func (p *Peer) Send(msg []byte) error {
	if len(msg) > p.max {
		return ErrMessageSize
	}
	if buffered := p.Buffered(); buffered > 0 && buffered+len(msg) > p.swarm.node.cfg.QueueBytes+commandReserve {
		p.swarm.node.metrics.queueFull.Inc()
		return ErrQueueFull
	}
	return p.write(msg)
}

// SendWait queues one binary message once there is room for it, and copies it. A message given to Send
// meanwhile goes first. Errors: ctx's, ErrPeerClosed, ErrMessageSize.
func (p *Peer) SendWait(ctx context.Context, msg []byte) error {
	if len(msg) > p.max {
		return ErrMessageSize
	}
	select {
	case p.turn <- struct{}{}:
	case <-p.done:
		return ErrPeerClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	for p.dc.BufferedAmount() > p.low {
		select {
		case <-p.room:
		case <-p.done:
			return ErrPeerClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.write(msg)
}

// write hands the message to the association, which keeps a copy until it is acknowledged.
func (p *Peer) write(msg []byte) error {
	select {
	case <-p.done:
		return ErrPeerClosed
	default:
	}
	p.writeMu.Lock()
	p.writing.Store(time.Now().UnixNano())
	_, err := p.raw.Write(msg)
	p.writing.Store(0)
	p.writeMu.Unlock()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPeerClosed, err)
	}
	p.sent.Add(int64(len(msg)))
	p.swarm.node.metrics.sentBytes.Add(float64(len(msg)))
	return nil
}

// Close closes the connection without waiting; PeerClosed is called with cause, or ErrPeerClosed when
// cause is nil. Only the first call counts.
func (p *Peer) Close(cause error) {
	p.once.Do(func() {
		if cause == nil {
			cause = ErrPeerClosed
		}
		p.cause = cause
		close(p.done)
		p.swarm.discard(p.pc)
	})
}

// run is the peer's reader; it makes all calls to the handler.
func (p *Peer) run() {
	handler := p.swarm.cfg.Handler
	handler.PeerOpened(p)
	p.Close(p.read(handler))
	handler.PeerClosed(p, p.cause)
	p.swarm.post(func() { p.swarm.peerGone(p) })
}

// read hands over messages until the channel ends. It waits with a small buffer, and takes a large one
// only when a message asks for it.
func (p *Peer) read(handler Handler) error {
	small := make([]byte, smallRead)
	var large *[sctpMaxMessageSize]byte
	drop := func() {
		if large != nil {
			readBuffers.Put(large)
			large = nil
		}
	}
	defer drop()
	for {
		buf := small
		if large != nil {
			buf = large[:]
		}
		n, _, err := p.raw.ReadDataChannel(buf)
		switch {
		case errors.Is(err, io.ErrShortBuffer) && large == nil:
			large = readBuffers.Get().(*[sctpMaxMessageSize]byte) // the pool holds nothing else
			continue
		case errors.Is(err, io.ErrShortBuffer):
			return fmt.Errorf("reading message: %w", ErrMessageSize)
		case errors.Is(err, io.EOF):
			return ErrRemoteClosed
		case err != nil:
			return fmt.Errorf("%w: %w", ErrRemoteClosed, err)
		}
		p.received.Add(int64(n))
		p.swarm.node.metrics.receivedBytes.Add(float64(n))
		select {
		case <-p.done:
			return ErrPeerClosed
		default:
		}
		handler.PeerMessage(p, buf[:n])
		if n <= smallRead {
			drop()
		}
	}
}

// stalled says whether bytes have waited for limit without one of them being acknowledged, or cannot even be handed
// over.
func (p *Peer) stalled(now time.Time, limit time.Duration) bool {
	if since := p.writing.Load(); since != 0 && now.UnixNano()-since > int64(writeHang) {
		return true
	}
	sent := p.sent.Load()
	buffered := int64(p.Buffered())
	acked := sent - buffered
	if buffered == 0 || acked != p.acked || p.ackedAt.IsZero() {
		p.acked, p.ackedAt = acked, now
		return false
	}
	return now.Sub(p.ackedAt) >= limit
}

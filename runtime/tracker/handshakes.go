package tracker

import (
	"context"
	"crypto/tls"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// How many TLS handshakes may wait for a slot, and how long. A handshake takes about a millisecond of one processor and,
// while it waits, 25 KiB of memory.
const (
	handshakeQueue = 4096
	handshakeWait  = 10 * time.Second
)

var (
	errQueueFull = errors.New("waiting for a handshake slot: too many handshakes are waiting")
	errWait      = errors.New("waiting for a handshake slot: timeout")
)

// handshakes limits the TLS handshakes that are computed at the same time. A client only has to send a recorded hello to
// make the server compute a key exchange and a signature; a flood of them would starve connected clients. A slot is held
// from the client's hello to the server's answer. The server waits for no client in that time, so stalled clients do not
// hold slots.
type handshakes struct {
	slots chan struct{}
	wait  time.Duration
	queue int64

	waiting atomic.Int64
	metrics *connectionMetrics
}

func newHandshakes(m *connectionMetrics) *handshakes {
	return &handshakes{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), wait: handshakeWait, queue: handshakeQueue, metrics: m}
}

// begin is a tls.Config's GetConfigForClient, which crypto/tls calls between reading the hello and computing the answer.
func (h *handshakes) begin(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c, ok := hello.Conn.(*connection)
	if !ok {
		return nil, nil
	}
	if err := h.take(hello.Context()); err != nil {
		return nil, err
	}
	c.handshake.Store(h)
	return nil, nil
}

func (h *handshakes) take(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	h.metrics.waiting.Inc()
	defer h.metrics.waiting.Dec()
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > h.queue {
		h.metrics.refusedQueue.Inc()
		return errQueueFull
	}
	timeout := time.NewTimer(h.wait)
	defer timeout.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timeout.C:
		h.metrics.refusedWait.Inc()
		return errWait
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end releases the slot: with the first bytes of the answer, or when the connection is closed without one.
func (h *handshakes) end() { <-h.slots }

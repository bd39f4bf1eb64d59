package tracker

import (
	"context"
	"crypto/tls"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// How many TLS handshakes may wait for their turn, and how long. One costs about a millisecond of one processor and, while
// it waits, 25 KiB of memory.
const (
	handshakeQueue = 4096
	handshakeWait  = 10 * time.Second
)

var (
	errQueue  = errors.New("waiting for the handshake's turn: too many wait")
	errNoTurn = errors.New("waiting for the handshake's turn: timeout")
)

// handshakes bounds the TLS handshakes that are computed at one time. A client needs but send a recorded hello to have a
// server compute a key exchange and a signature, and each of these would otherwise stand before the messages of all who
// are connected. It covers the time from the client's hello to the server's answer, in which nobody is waited for, so that
// clients who stall hold no place.
type handshakes struct {
	places chan struct{}
	wait   time.Duration
	queue  int64

	waiting atomic.Int64
	metrics *connectionMetrics
}

func newHandshakes(m *connectionMetrics) *handshakes {
	return &handshakes{places: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), wait: handshakeWait, queue: handshakeQueue, metrics: m}
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
	c.turn.Store(h)
	return nil, nil
}

func (h *handshakes) take(ctx context.Context) error {
	select {
	case h.places <- struct{}{}:
		return nil
	default:
	}
	h.metrics.waiting.Inc()
	defer h.metrics.waiting.Dec()
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > h.queue {
		h.metrics.crowded.Inc()
		return errQueue
	}
	timeout := time.NewTimer(h.wait)
	defer timeout.Stop()
	select {
	case h.places <- struct{}{}:
		return nil
	case <-timeout.C:
		h.metrics.noTurn.Inc()
		return errNoTurn
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end gives a place back: with the first bytes of the answer, or when the connection is closed without one.
func (h *handshakes) end() { <-h.places }

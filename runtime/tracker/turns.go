package tracker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// How many TLS handshakes may wait for a turn of each kind, and how long. A turn takes up to about a millisecond (an RSA
// signature of 2,048 bits). A handshake that waits uses 25 KiB of memory.
const (
	handshakeQueue = 4096
	handshakeWait  = 10 * time.Second
)

var (
	errQueueFull = errors.New("too many handshakes are waiting")
	errWait      = errors.New("timeout")
)

// turns limits how many handshakes compute at the same time, and how many wait for that.
type turns struct {
	slots chan struct{}
	wait  time.Duration
	queue int64

	waiting atomic.Int64
	metrics *connectionMetrics
}

func newTurns(slots int, m *connectionMetrics) *turns {
	return &turns{slots: make(chan struct{}, slots), wait: handshakeWait, queue: handshakeQueue, metrics: m}
}

// take waits for a turn, which the caller ends. The errors are those above, or that of ctx.
func (t *turns) take(ctx context.Context) error {
	select {
	case t.slots <- struct{}{}:
		return nil
	default:
	}
	t.metrics.waiting.Inc()
	defer t.metrics.waiting.Dec()
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > t.queue {
		t.metrics.refusedQueue.Inc()
		return errQueueFull
	}
	timeout := time.NewTimer(t.wait)
	defer timeout.Stop()
	select {
	case t.slots <- struct{}{}:
		return nil
	case <-timeout.C:
		t.metrics.refusedWait.Inc()
		return errWait
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end ends a turn.
func (t *turns) end() { <-t.slots }

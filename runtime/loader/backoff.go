package loader

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff waits longer after each failure, with jitter so that many peers that
// lost the same origin do not come back in step.
type backoff struct{ next, most time.Duration }

func newBackoff(first, most time.Duration) *backoff { return &backoff{first, most} }

// sleep waits and reports whether ctx is still alive.
func (b *backoff) sleep(ctx context.Context) bool {
	d := b.step()
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// step returns the next wait: between half of the doubling step and all of it.
func (b *backoff) step() time.Duration {
	d := b.next
	b.next = min(2*b.next, b.most)
	return d/2 + rand.N(d/2+1)
}

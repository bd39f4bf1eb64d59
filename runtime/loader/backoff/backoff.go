// Package backoff waits between attempts that fail: exponentially longer, with jitter.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff waits longer after each failure. The jitter keeps many peers that lost the same origin from retrying in
// step. It belongs to one goroutine.
type Backoff struct{ next, longest time.Duration }

// New returns a back-off that starts at first and doubles up to longest.
func New(first, longest time.Duration) *Backoff { return &Backoff{first, longest} }

// Sleep waits for the next step; false if ctx ended first.
func (b *Backoff) Sleep(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(b.step()):
		return true
	}
}

// step returns the next wait: a random value between half of the current step and all of it.
func (b *Backoff) step() time.Duration {
	d := b.next
	b.next = min(2*b.next, b.longest)
	return d/2 + rand.N(d/2+1)
}

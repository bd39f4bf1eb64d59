// Package backoff waits between attempts that fail: exponentially longer, with jitter.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Doubled is the wait after so many failures before: first, doubled for each of them, and longest at most. first must not
// be above longest.
func Doubled(first, longest time.Duration, failures int) time.Duration {
	d := first
	for ; failures > 0 && d < longest; failures-- {
		d *= 2
	}
	return min(d, longest)
}

// Spread is between half of a wait and all of it, as the fraction in [0,1) says. It keeps many peers that lost the same
// origin from retrying in step.
func Spread(d time.Duration, fraction float64) time.Duration {
	return d/2 + time.Duration(float64(d)/2*fraction)
}

// Backoff waits longer after each failure. It belongs to one goroutine.
type Backoff struct {
	first, longest time.Duration
	failures       int
}

// New returns a back-off that starts at first and doubles up to longest.
func New(first, longest time.Duration) *Backoff { return &Backoff{first: first, longest: longest} }

// Sleep waits for the next step; false if ctx ended first.
func (b *Backoff) Sleep(ctx context.Context) bool {
	timer := time.NewTimer(b.Next())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Next returns the next wait: a random value between half of the current step and all of it.
func (b *Backoff) Next() time.Duration {
	d := Doubled(b.first, b.longest, b.failures)
	if d < b.longest {
		b.failures++
	}
	return Spread(d, rand.Float64()) // #nosec G404 -- spreads load, guards nothing
}

// Reset starts over, after a success.
func (b *Backoff) Reset() { b.failures = 0 }

package mesh

import (
	"math/rand/v2"
	"time"
)

// Bounds of the pause between dials of one tracker.
const (
	backoffFirst  = time.Second
	backoffMost   = 15 * time.Second
	backoffSettle = 15 * time.Second
)

// backoff is the pause between two dials: half of it is chance, so that the peers of a tracker that comes
// back do not all arrive at once.
type backoff struct{ next time.Duration }

func (b *backoff) pause() time.Duration {
	if b.next == 0 {
		b.next = backoffFirst
	}
	d := b.next
	b.next = min(2*b.next, backoffMost)
	return d/2 + rand.N(d/2)
}

// lived starts over when the last socket was in use for a while.
func (b *backoff) lived(d time.Duration) {
	if d >= backoffSettle {
		b.next = 0
	}
}

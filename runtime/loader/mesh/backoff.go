package mesh

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
)

// Bounds of the pause between dials of one tracker. Half of it is chance, so that the peers of a tracker that comes back
// do not all arrive at once.
const (
	dialFirst  = time.Second
	dialMost   = 15 * time.Second
	dialSettle = 15 * time.Second // a socket that was in use for so long ends a series of failures
)

func newDialPause() *dialPause { return &dialPause{backoff.New(dialFirst, dialMost)} }

// dialPause is the pause between two dials.
type dialPause struct{ *backoff.Backoff }

// after is the pause after a socket that was in use for a while.
func (p *dialPause) after(lived time.Duration) time.Duration {
	if lived >= dialSettle {
		p.Reset()
	}
	return p.Next()
}

package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
)

// Bounds on how often a peer may fail to deliver.
const (
	firstAvoid   = time.Second // how long it is asked for nothing, doubled each time
	longestAvoid = 30 * time.Second
	unreliableAt = 8 // failures, halved at each success
)

// conduct is how a peer has delivered what it announced.
type conduct struct {
	failures   int
	avoidUntil time.Time
}

// failed notes that the peer did not deliver. It is asked for nothing for a while, longer each time, so that it cannot delay
// one segment after the other. True says that it failed too often.
func (c *conduct) failed(now time.Time) (unreliable bool) {
	c.failures++
	c.avoidUntil = now.Add(backoff.Doubled(firstAvoid, longestAvoid, c.failures-1))
	return c.failures >= unreliableAt
}

// succeeded notes that the peer delivered a segment.
func (c *conduct) succeeded() {
	c.failures /= 2
	c.avoidUntil = time.Time{}
}

// usable tells whether the peer may be asked for what it announces at now.
func (c *conduct) usable(now time.Time) bool { return !now.Before(c.avoidUntil) }

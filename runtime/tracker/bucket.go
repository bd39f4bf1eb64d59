package tracker

import "time"

// verdict is what happens to one more message of a socket.
type verdict uint8

const (
	pass   verdict = iota
	ignore         // too many; the message is not looked at
	cut            // far too many for long; the socket goes
)

// bucket is a token bucket that may go far below zero: a short excess costs messages, a lasting one the socket.
type bucket struct {
	tokens, rate, burst float64
	last                time.Time
}

// seederFactor is how many times as much a seeder may send: it answers offers of hundreds of viewers.
const seederFactor = 20

func newBucket(l LimitsConfig, seeder bool, now time.Time) bucket {
	b := bucket{rate: float64(l.MessagesPerSecond), burst: float64(l.MessageBurst), last: now}
	if seeder {
		b.rate *= seederFactor
		b.burst *= seederFactor
	}
	b.tokens = b.burst
	return b
}

func (b *bucket) take(now time.Time) verdict {
	b.tokens = min(b.burst, b.tokens+now.Sub(b.last).Seconds()*b.rate) - 1
	b.last = now
	switch {
	case b.tokens >= 0:
		return pass
	case b.tokens > -10*b.burst:
		return ignore
	}
	return cut
}

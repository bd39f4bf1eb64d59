package tracker

import "time"

// verdict is what happens to a message.
type verdict uint8

const (
	pass   verdict = iota
	ignore         // the client is above its rate: drop the message
	cut            // the client has been far above its rate for long: close the socket
)

// bucket is a token bucket that may go far below zero: a short excess loses messages, a lasting one closes the socket.
type bucket struct {
	tokens, rate, burst float64
	last                time.Time
}

// seederFactor is how many times as many messages as a viewer a seeder may send: it answers offers of hundreds of viewers.
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

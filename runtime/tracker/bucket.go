package tracker

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
)

// verdict is what happens to a message.
type verdict uint8

const (
	pass   verdict = iota
	ignore         // the client is above its rate: drop the message
	cut            // the client has been far above its rate for long: close the socket
)

// bucket limits the messages of one socket. It may go far below zero: a short excess loses messages, a lasting one closes
// the socket.
type bucket struct {
	tokens tokenbucket.Bucket
	rate   tokenbucket.Rate
	opened time.Time
}

// seederFactor is how many times as many messages as a viewer a seeder may send: it answers offers of hundreds of viewers.
const seederFactor = 20

// patientBursts is how many bursts a client may be above its rate before its socket is closed.
const patientBursts = 10

func newBucket(l LimitsConfig, seeder bool, now time.Time) bucket {
	b := bucket{rate: tokenbucket.Rate{PerSecond: float64(l.MessagesPerSecond), Burst: float64(l.MessageBurst)}, opened: now}
	if seeder {
		b.rate = b.rate.Scale(seederFactor)
	}
	return b
}

func (b *bucket) take(now time.Time) verdict {
	switch left := b.tokens.Spend(b.rate, 1, now.Sub(b.opened)); {
	case left >= 0:
		return pass
	case left > -patientBursts*b.rate.Burst:
		return ignore
	}
	return cut
}

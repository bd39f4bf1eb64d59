package poll

import (
	"context"
	"time"
)

const (
	// Every is how often trackers are asked that answer.
	Every = 5 * time.Second
	// maxPause is how long at most a tracker is left alone that does not answer.
	maxPause = time.Minute
	// maxFailures that are counted; more make no difference.
	maxFailures = 10
)

// pause before the next question after so many failures in a row. One failure may be a restart and changes nothing.
func pause(failures int) time.Duration {
	if failures < 2 {
		return Every
	}
	return min(Every<<min(failures-1, 4), maxPause)
}

// jittered spreads questions that were asked together: it takes off up to a fifth, by a random number from 0 to 1.
func jittered(d time.Duration, random float64) time.Duration {
	return d - time.Duration(random*float64(d)/5)
}

const (
	// maxAsking is how many trackers are asked at a time. With Timeout it bounds the sockets of an operator, and how
	// long questions wait when very many trackers hang at once.
	maxAsking = 256
	// maxDoubtful is how many at a time are asked whose last answer was an error. They have slots of their own, so that
	// however many hang, those that answer are asked in time.
	maxDoubtful = 64
)

// slots bound how many trackers are asked at a time.
type slots struct {
	answering, doubtful chan struct{}
}

func newSlots() slots {
	return slots{answering: make(chan struct{}, maxAsking), doubtful: make(chan struct{}, maxDoubtful)}
}

// take waits for a slot and returns what gives it back; false when ctx ended.
func (s slots) take(ctx context.Context, doubtful bool) (release func(), ok bool) {
	slot := s.answering
	if doubtful {
		slot = s.doubtful
	}
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, true
	case <-ctx.Done():
		return nil, false
	}
}

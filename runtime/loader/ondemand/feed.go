package ondemand

import (
	"sync"
	"time"
)

// Feed passes the bytes of one segment on while they arrive. Transfers publish
// them, one transfer after the other; any number of readers follow.
type Feed struct {
	mu      sync.Mutex
	attempt int64  // the transfer that may publish
	data    []byte // all bytes so far; what is below its length is never written again
	total   int64  // -1: unknown
	epoch   int    // grows when bytes are dropped
	done    bool
	err     error
	moved   time.Time     // when bytes last came
	changed chan struct{} // closed at the next change; nil while no reader waits
}

// NewFeed returns the feed of a segment of which data has arrived; total is its size in bytes, -1 if unknown. attempt
// is the transfer that may publish.
func NewFeed(attempt int64, data []byte, total int64, now time.Time) *Feed {
	return &Feed{attempt: attempt, data: data, total: total, moved: now}
}

// HeldFeed is the feed of a whole segment.
func HeldFeed(data []byte) *Feed {
	return &Feed{data: data, total: int64(len(data)), done: true}
}

// Begin lets another transfer publish, which continues held.
func (f *Feed) Begin(attempt int64, held []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempt = attempt
	f.cut(held)
}

// cut drops what goes beyond held; f is locked.
func (f *Feed) cut(held []byte) {
	if f.done || len(held) >= len(f.data) {
		return
	}
	f.data = held
	f.epoch++
	f.wake()
}

// Keep drops what goes beyond held, after a transfer that failed.
func (f *Feed) Keep(held []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut(held)
}

// Publish takes all bytes so far from a transfer; transfers before the last
// one that began are ignored.
func (f *Feed) Publish(attempt int64, data []byte, total int64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || f.err != nil || attempt != f.attempt {
		return
	}
	f.cut(data)
	if len(data) == len(f.data) && total == f.total {
		return
	}
	if len(data) > len(f.data) {
		f.moved = now
	}
	f.data, f.total = data, total
	f.wake()
}

// Touch notes that a transfer has brought bytes that readers do not see yet.
func (f *Feed) Touch(attempt int64, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if attempt == f.attempt {
		f.moved = now
	}
}

// Shown is how many bytes readers can see.
func (f *Feed) Shown() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.data)
}

// Finish gives the whole segment.
func (f *Feed) Finish(data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || f.err != nil {
		return
	}
	f.data, f.total, f.done = data, int64(len(data)), true
	f.wake()
}

// Fail ends all readers.
func (f *Feed) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || f.err != nil {
		return
	}
	f.err = err
	f.wake()
}

// Idle is how long no byte has come.
func (f *Feed) Idle(now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Sub(f.moved)
}

func (f *Feed) wake() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// signal is closed at the next change; f is locked.
func (f *Feed) signal() <-chan struct{} {
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}

package loader

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Reasons for which a segment cannot be read by a player.
var (
	// ErrUnknownSegment: no playlist names it, or it left the playlist long ago.
	ErrUnknownSegment = errors.New("the playlist names no such segment")
	// ErrGap: the playlist says that the origin lacks it.
	ErrGap = errors.New("the playlist says that there is a gap")
	// ErrGone: it left the playlist while it was waited for, or the stream began anew.
	ErrGone = errors.New("the segment left the playlist")
	// ErrTooSlow: neither peers nor the origin brought any of its bytes in time.
	ErrTooSlow = errors.New("no bytes came in time")
	// ErrChanged: bytes that were handed on already turned out to be of no use.
	ErrChanged = errors.New("the segment changed while it was read")
	// ErrStopped: the engine has ended.
	ErrStopped = errors.New("the engine has stopped")
)

// feed hands the bytes of one segment on while they arrive. The transfers that
// bring them publish, one after the other; any number of readers follow.
type feed struct {
	mu      sync.Mutex
	attempt int64  // the transfer that may publish
	data    []byte // all bytes so far; what is below its length is never written again
	total   int64  // -1: unknown
	epoch   int    // grows when bytes are dropped
	done    bool
	err     error
	moved   time.Time     // when bytes last came
	changed chan struct{} // closed at the next change; nil while nobody waits
}

func newFeed(attempt int64, data []byte, total int64, now time.Time) *feed {
	return &feed{attempt: attempt, data: data, total: total, moved: now}
}

// heldFeed is the feed of a segment that is there.
func heldFeed(data []byte) *feed {
	return &feed{data: data, total: int64(len(data)), done: true}
}

// begin lets another transfer publish, which continues held.
func (f *feed) begin(attempt int64, held []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempt = attempt
	f.cut(held)
}

// cut drops what goes beyond held; f is locked.
func (f *feed) cut(held []byte) {
	if f.done || len(held) >= len(f.data) {
		return
	}
	f.data = held
	f.epoch++
	f.wake()
}

// keep drops what goes beyond held, after a transfer that failed.
func (f *feed) keep(held []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut(held)
}

// publish takes all bytes so far from a transfer; others than the one begun last
// are not listened to any more.
func (f *feed) publish(attempt int64, data []byte, total int64, now time.Time) {
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

// finish gives the whole segment.
func (f *feed) finish(data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || f.err != nil {
		return
	}
	f.data, f.total, f.done = data, int64(len(data)), true
	f.wake()
}

// fail ends all readers.
func (f *feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || f.err != nil {
		return
	}
	f.err = err
	f.wake()
}

// idle is how long no byte has come.
func (f *feed) idle(now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Sub(f.moved)
}

func (f *feed) wake() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// signal is closed at the next change; f is locked.
func (f *feed) signal() <-chan struct{} {
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}

// SegmentReader reads one segment while it arrives, from wherever. It belongs to
// one goroutine.
type SegmentReader struct {
	ctx   context.Context //nolint:containedctx // it is a request's, as in net/http
	feed  *feed
	at    int64
	told  int64 // size that was told; -1: none
	epoch int
	used  bool // bytes were handed out
	held  bool
	close func()
	once  sync.Once
}

func newSegmentReader(ctx context.Context, f *feed, closed func()) *SegmentReader {
	return &SegmentReader{ctx: ctx, feed: f, told: -1, close: closed}
}

// Held tells whether the whole segment was there when it was opened.
func (r *SegmentReader) Held() bool { return r.held }

// Size is the length of the segment in bytes; it waits until that is known.
func (r *SegmentReader) Size() (int64, error) {
	for {
		f := r.feed
		f.mu.Lock()
		total, err, wait := f.total, f.err, f.signal()
		f.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case total >= 0:
			r.told = total
			return total, nil
		}
		if err := r.wait(wait); err != nil {
			return 0, err
		}
	}
}

// Read waits for bytes if there are none yet.
func (r *SegmentReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, wait, err := r.take(p)
		if n > 0 || err != nil {
			return n, err
		}
		if err := r.wait(wait); err != nil {
			return 0, err
		}
	}
}

func (r *SegmentReader) take(p []byte) (int, <-chan struct{}, error) {
	f := r.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case r.used && f.epoch != r.epoch, r.told >= 0 && f.total >= 0 && f.total != r.told:
		return 0, nil, ErrChanged
	case r.at < int64(len(f.data)):
		n := copy(p, f.data[r.at:])
		r.at += int64(n)
		r.used, r.epoch = true, f.epoch
		return n, nil, nil
	case f.err != nil:
		return 0, nil, f.err
	case f.done || (f.total >= 0 && r.at >= f.total):
		return 0, nil, io.EOF
	}
	return 0, f.signal(), nil
}

func (r *SegmentReader) wait(changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}

// Seek sets where the next Read begins, as io.Seeker says; to count from the end
// it waits for the size.
func (r *SegmentReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		size, err := r.Size()
		if err != nil {
			return 0, err
		}
		offset += size
	default:
		return 0, errors.New("seeking: unknown whence")
	}
	if offset < 0 {
		return 0, errors.New("seeking: before the start")
	}
	r.at = offset
	return offset, nil
}

// Close ends the player's request for the segment; it never fails.
func (r *SegmentReader) Close() error {
	r.once.Do(r.close)
	return nil
}

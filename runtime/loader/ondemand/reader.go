package ondemand

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Reader reads one segment while it arrives, from whatever source. It belongs to
// one goroutine.
type Reader struct {
	ctx   context.Context //nolint:containedctx // it is a request's, as in net/http
	feed  *Feed
	at    int64
	told  int64 // size that was told; -1: none
	epoch int
	used  bool // bytes were handed out
	held  bool
	close func()
	once  sync.Once
}

// NewReader returns a reader of f that ends with ctx; Close calls closed. held says that f is whole.
func NewReader(ctx context.Context, f *Feed, held bool, closed func()) *Reader {
	return &Reader{ctx: ctx, feed: f, told: -1, held: held, close: closed}
}

// Held tells whether the whole segment was held when it was opened.
func (r *Reader) Held() bool { return r.held }

// Size is the length of the segment in bytes; it waits until that is known.
func (r *Reader) Size() (int64, error) {
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
func (r *Reader) Read(p []byte) (int, error) {
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

func (r *Reader) take(p []byte) (int, <-chan struct{}, error) {
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

func (r *Reader) wait(changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}

// Seek sets where the next Read begins, as io.Seeker says; to count from the end
// it waits for the size.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
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
func (r *Reader) Close() error {
	r.once.Do(r.close)
	return nil
}

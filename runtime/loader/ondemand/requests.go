package ondemand

import (
	"sync/atomic"
	"time"
)

// Request is a player's request for a segment that is not answered in full yet. The rendition's owner has it.
type Request struct {
	Since time.Time // when the player asked
	Dry   time.Time // when its buffer is empty, at the earliest

	requests *Requests // nil once it is answered or forgotten
}

// Requests are the open requests for one segment. The rendition's owner has them; transfers may Publish.
type Requests struct {
	feed   atomic.Pointer[Feed] // nil if no player waits
	open   []*Request
	proven atomic.Int64 // bytes that players may see before the whole is checked, and one more; 0: all
}

// Len is the number of open requests.
func (q *Requests) Len() int { return len(q.open) }

// All are the open requests, oldest first.
func (q *Requests) All() []*Request { return q.open }

// Feed is where the players read; nil if there was no request since the last answer.
func (q *Requests) Feed() *Feed { return q.feed.Load() }

// SetFeed sets where the players read.
func (q *Requests) SetFeed(f *Feed) {
	f.Keep(q.visible(f.data))
	q.feed.Store(f)
}

// Withhold shows players no more than the first bytes that have arrived, until Answer or Reveal: what comes after them is
// from peers and is not checked yet.
func (q *Requests) Withhold(proven int) { q.proven.Store(int64(proven) + 1) }

// Reveal ends Withhold.
func (q *Requests) Reveal() { q.proven.Store(0) }

// visible is the part of a segment's bytes that players may see.
func (q *Requests) visible(data []byte) []byte {
	if n := q.proven.Load(); n > 0 {
		return data[:min(int64(len(data)), n-1)]
	}
	return data
}

// Add opens a request.
func (q *Requests) Add(r *Request) {
	r.requests = q
	q.open = append(q.open, r)
}

// Remove ends a request whose reader has read all, or was closed. It returns the requests it was among; nil if it was
// answered before.
func Remove(r *Request) *Requests {
	q := r.requests
	if q == nil {
		return nil
	}
	r.requests = nil
	for i, other := range q.open {
		if other == r {
			q.open = append(q.open[:i], q.open[i+1:]...)
			break
		}
	}
	return q
}

// Open tells whether the request waits for an answer.
func (r *Request) Open() bool { return r.requests != nil }

// Answer ends all requests with the bytes of the segment, or with err if that is not nil.
func (q *Requests) Answer(data []byte, err error) {
	q.Reveal()
	if f := q.feed.Load(); f != nil {
		if err != nil {
			f.Fail(err)
		} else {
			f.Finish(data)
		}
		q.feed.Store(nil)
	}
	for _, r := range q.open {
		r.requests = nil
	}
	q.open = nil
}

// Begin lets another transfer publish, which continues held.
func (q *Requests) Begin(attempt int64, held []byte) {
	if f := q.feed.Load(); f != nil {
		f.Begin(attempt, q.visible(held))
	}
}

// Publish passes on what a transfer has brought so far. It may be called by any goroutine.
func (q *Requests) Publish(attempt int64, data []byte, total int64, now time.Time) {
	f := q.feed.Load()
	switch {
	case f == nil:
	case q.proven.Load() > 0:
		f.Touch(attempt, now) // a peer's claim of the size is no more proven than its bytes
	default:
		f.Publish(attempt, data, total, now)
	}
}

// Keep drops what goes beyond held, after a transfer that failed.
func (q *Requests) Keep(held []byte) {
	if f := q.feed.Load(); f != nil {
		f.Keep(q.visible(held))
	}
}

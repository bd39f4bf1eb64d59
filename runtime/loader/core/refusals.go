package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
)

// Bounds of how often a playlist, and then the manifest, are loaded because their segments are refused.
const (
	refusalsInARow = 3
	firstReread    = 5 * time.Second
	lastReread     = time.Minute
)

// refusals counts the segments that the origin refuses in a row: their URLs may have expired.
type refusals struct {
	row   int
	times int       // since one was delivered, that the playlist was asked for
	next  time.Time // when it may be asked for again
}

// failed takes a failure of a segment; first says that it is the first of that segment. A segment that the origin does
// not have counts once: it may be missing for good. It tells whether the playlist is to be loaded, and the manifest before it.
func (q *refusals) failed(f Failure, first bool, now time.Time) (again, manifestToo bool) {
	if !f.Refused || (!first && f.Lacking) {
		return false, false
	}
	if q.row++; q.row < refusalsInARow || now.Before(q.next) {
		return false, false
	}
	q.row = 0
	manifestToo = q.times > 0
	q.next = now.Add(backoff.Doubled(firstReread, lastReread, q.times))
	q.times++
	return true, manifestToo
}

func (q *refusals) succeeded() { q.row, q.times = 0, 0 }

package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
)

// readers are the players that read one segment.
type readers struct{ ondemand.Requests }

func newReaders() core.Readers { return &readers{} }

// readersOf are those of a segment.
func readersOf(seg *core.Segment) *readers { return seg.Readers.(*readers) }

// Gone ends the requests: the segment left the playlist.
func (q *readers) Gone() { q.Answer(nil, ondemand.ErrGone) }

// TooSlow ends them: no byte came in time.
func (q *readers) TooSlow() { q.Answer(nil, ondemand.ErrTooSlow) }

// Waits says since when each request waits, and when its player has nothing left.
func (q *readers) Waits(yield func(since, dry time.Time)) {
	for _, request := range q.All() {
		yield(request.Since, request.Dry)
	}
}

// Idle is how long no byte has come for those who read.
func (q *readers) Idle(now time.Time) time.Duration {
	if f := q.Feed(); f != nil {
		return f.Idle(now)
	}
	return 0
}

package rendition

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// settle brings the table in line with a new playlist in which known names have other numbers. A name that was in the
// playlist and stands at its end again names a new segment: a film in a loop may have the same bytes there, a ring of
// file names has others, and a playlist does not tell them apart. So it is fetched again, and never joined with what was
// held under its name.
func (r *Rendition) settle(now time.Time) {
	last := r.segments.settled
	if r.playlist == nil || r.playlist == last {
		return
	}
	r.segments.settled = r.playlist
	var again []*segment
	byNumber := false
	for _, seg := range r.segments.order {
		if seg.again {
			seg.Segment, byNumber = seg.Segment.ByNumber(), true
		}
		switch {
		case seg.Sequence == seg.number:
		case last != nil && seg.Sequence > seg.number && seg.Sequence > last.LastEntry():
			again = append(again, seg)
		default:
			r.segments.renumber(seg) // the same entry under another number
		}
	}
	for _, seg := range again {
		r.nameCameAgain(seg, last, now)
	}
	if len(again) > 0 {
		slices.SortStableFunc(r.segments.order, func(a, b *segment) int { return cmp.Compare(a.Start, b.Start) })
		r.newestAt = now
		r.announcer.dirty = true
	}
	if byNumber || len(again) > 0 {
		r.learn()
	}
}

// nameCameAgain makes a known segment the new one of its name. What was held stays for a while under its old number, as every
// segment that has left the playlist.
func (r *Rendition) nameCameAgain(seg *segment, last *manifest.Playlist, now time.Time) {
	before, number, wasAgain := seg.held(), seg.number, seg.again
	r.segments.renumber(seg)
	seg.again = true
	seg.Segment = seg.Segment.ByNumber()
	if i, ok := slices.BinarySearchFunc(last.Segments, number, func(m manifest.Segment, n int64) int {
		return cmp.Compare(m.Sequence, n)
	}); ok && before {
		old := last.Segments[i]
		if wasAgain {
			old = old.ByNumber()
		}
		left := newSegment(old, seg.key+store.Key(" "+strconv.FormatInt(number, 10)))
		if r.shared.Store.Rename(seg.key, left.key) {
			left.state, left.total, left.retired = schedule.Held, seg.total, now
			r.segments.add(left)
		}
	}
	r.giveUp(seg)
	r.answer(seg, nil, ondemand.ErrGone)
	r.shared.Store.Remove(seg.key)
	seg.total, seg.claimed, seg.failures, seg.problem, seg.retryAt = -1, -1, 0, nil, time.Time{}
	if seg.Range != nil {
		seg.total = seg.Range.Length
	}
	seg.from, seg.notFrom, seg.noRoom, seg.kept, seg.lost, seg.reserved = nil, nil, false, false, false, false
}

// renumber notes the number that a segment has in a new playlist.
func (t *table) renumber(seg *segment) {
	if t.bySeq[seg.number] == seg {
		delete(t.bySeq, seg.number)
	}
	seg.number = seg.Sequence
	if other := t.bySeq[seg.number]; other == nil || !other.inPlaylist() {
		t.bySeq[seg.number] = seg
	}
}

package core

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// Settle brings the table in line with a new playlist in which known names have other numbers. A name that was in the
// playlist and stands at its end again names a new segment: a film in a loop may have the same bytes there, a ring of
// file names has others, and a playlist does not tell them apart. So it is fetched again, and never joined with what was
// held under its name.
func (c *Core) Settle(now time.Time) {
	last := c.table.settled
	if c.playlist == nil || c.playlist == last {
		return
	}
	c.table.settled = c.playlist
	var again []*Segment
	byNumber := false
	for _, seg := range c.table.order {
		if seg.again {
			seg.Segment, byNumber = seg.Segment.ByNumber(), true
		}
		switch {
		case seg.Sequence == seg.number:
		case last != nil && seg.Sequence > seg.number && seg.Sequence > last.LastEntry():
			again = append(again, seg)
		default:
			c.table.renumber(seg) // the same entry under another number
		}
	}
	for _, seg := range again {
		c.nameCameAgain(seg, last, now)
	}
	if len(again) > 0 {
		slices.SortStableFunc(c.table.order, func(a, b *Segment) int { return cmp.Compare(a.Start, b.Start) })
		c.newestAt = now
		c.Changed = true
	}
	if byNumber || len(again) > 0 {
		c.driver.Learned()
	}
}

// nameCameAgain makes a known segment the new one of its name. What was held stays for a while under its old number, as every
// segment that has left the playlist.
func (c *Core) nameCameAgain(seg *Segment, last *manifest.Playlist, now time.Time) {
	before, number, wasAgain := seg.Held(), seg.number, seg.again
	c.table.renumber(seg)
	seg.again = true
	seg.Segment = seg.Segment.ByNumber()
	if i, ok := slices.BinarySearchFunc(last.Segments, number, func(m manifest.Segment, n int64) int {
		return cmp.Compare(m.Sequence, n)
	}); ok && before {
		old := last.Segments[i]
		if wasAgain {
			old = old.ByNumber()
		}
		left := c.newSegment(old, seg.Key+store.Key(" "+strconv.FormatInt(number, 10)))
		if c.store.Rename(seg.Key, left.Key) {
			left.State, left.Total, left.retired = schedule.Held, seg.Total, now
			c.table.add(left)
		}
	}
	c.giveUp(seg)
	c.gone(seg)
	c.store.Remove(seg.Key)
	seg.Total, seg.claimed, seg.Failures, seg.Problem, seg.RetryAt = -1, -1, 0, Failure{}, time.Time{}
	if seg.Range != nil {
		seg.Total = seg.Range.Length
	}
	seg.From, seg.NotFrom, seg.noRoom, seg.kept, seg.lost, seg.reserved = nil, nil, false, false, false, false
}

// renumber notes the number that a segment has in a new playlist.
func (t *table) renumber(seg *Segment) {
	if t.bySeq[seg.number] == seg {
		delete(t.bySeq, seg.number)
	}
	seg.number = seg.Sequence
	if other := t.bySeq[seg.number]; other == nil || !other.InPlaylist() {
		t.bySeq[seg.number] = seg
	}
}

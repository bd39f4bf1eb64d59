package core

import (
	"cmp"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// FullPercent is how full the store may be before a VOD seeder fetches only what viewers are about to want.
const FullPercent = 95

// Bounds of what one rendition's seeder holds and fetches.
const (
	seederSlots    = 4 // simultaneous fetches
	segmentsNeeded = 8 // ahead of each viewer
	leastShare     = 8 // the part of the store that a film's rendition gets at least
)

// seed fetches what a seeder should hold.
func (c *Core) seed(now time.Time) {
	c.beginFilling(now)
	defer c.endFilling()
	if !c.filling.on && c.origin.pausing(now) {
		return
	}
	if c.playlist.Live {
		c.seedLive(now)
	} else {
		c.seedVOD(now)
	}
}

// seedVOD fetches from where viewers are to the end and then from the start, as much as the store can hold together with
// the other renditions: what came beyond that would displace what is held, and be fetched again.
func (c *Core) seedVOD(now time.Time) {
	c.history.look(c, now)
	size := c.expectedSizes()
	st := c.store.Stats()
	held := int64(0)
	var all []*Segment
	for _, seg := range c.table.order {
		if seg.Held() {
			held += size(seg)
		}
		if seg.InPlaylist() && !seg.Gap {
			all = append(all, seg)
		}
	}
	// Other renditions hold the rest, and make room for some of what viewers here need next.
	room := max(st.Limit/100*FullPercent-(st.Bytes-held), st.Limit/leastShare)
	segs, wanted, outside := c.filmPart(all, room, size)
	view := schedule.SeederView{Now: now, Slots: c.slots(), Wanted: wanted}
	segs = c.mayFetch(segs, outside)
	for i, seg := range segs {
		if c.history.wanted[seg.Sequence] {
			view.Next = append(view.Next, i)
		}
		view.Segments = append(view.Segments, schedule.Segment{ID: seg.Sequence, State: seg.State, RetryAt: c.retryAt(seg)})
	}
	c.history.sort(view.Next, segs)
	for _, i := range schedule.Seeder(view) {
		if c.obtain(segs[i], now) && outside[segs[i]] {
			c.history.tokens--
		}
	}
}

// reach is the part of a film that fits into so many bytes, from wanted on and then from the start, in the film's order.
// The next one belongs to it in any case.
func reach(all []*Segment, wanted, room int64, size func(*Segment) int64) []*Segment {
	from, _ := slices.BinarySearchFunc(all, wanted, bySequence)
	n, left := 0, room
	for ; n < len(all); n++ {
		if left -= size(all[(from+n)%len(all)]); left < 0 && n > 0 {
			break
		}
	}
	if n == len(all) {
		return all
	}
	from %= len(all) // beyond the end is before the start
	end := from + n
	return slices.Concat(all[:max(0, end-len(all))], all[from:min(end, len(all))])
}

func bySequence(s *Segment, n int64) int { return cmp.Compare(s.Sequence, n) }

// seedLive fetches from the live edge backwards, as much as the store can hold together with the other renditions, and
// what viewers in the history are about to play.
func (c *Core) seedLive(now time.Time) {
	size := c.expectedSizes()
	region, edge := c.region(size)
	if edge == nil {
		return
	}
	reach := edge.Start + edge.Duration - schedule.LiveReach
	if c.playlist.Segments[0].Start < reach {
		c.history.look(c, now)
	} else {
		c.history.clear()
	}
	view := schedule.SeederView{Now: now, Live: true, Slots: c.slots()}
	var segs []*Segment
	for i, seg := range c.table.order {
		wanted := seg.Start < reach && c.history.wanted[seg.Sequence]
		if !seg.InPlaylist() || seg.Gap || (i < region && !wanted) {
			continue
		}
		if seg.lost {
			view.Floor = seg.Sequence + 1
		}
		if wanted && seg.State == schedule.Missing && c.history.may(len(view.Next)) {
			view.Next = append(view.Next, len(segs))
		}
		segs = append(segs, seg)
		view.Segments = append(view.Segments, schedule.Segment{
			ID: seg.Sequence, Start: seg.Start, Duration: seg.Duration, State: seg.State, RetryAt: c.retryAt(seg),
		})
	}
	c.history.sort(view.Next, segs)
	if st := c.store.Stats(); st.Bytes < st.Limit/2 {
		view.Floor = 0 // there is room again, after another rendition has ended
	}
	view.Room = func(i int) bool {
		seg := segs[i]
		start := seg.Start
		if c.history.wanted[seg.Sequence] {
			// As useful as what has just left the reach of new viewers: it displaces older history, and nothing newer.
			start = max(start, reach)
		}
		seg.reserved = c.store.Reserve(seg.Key, start.Milliseconds(), size(seg))
		return seg.reserved
	}
	for _, i := range schedule.Seeder(view) {
		if c.obtain(segs[i], now) && segs[i].Start < reach && c.history.wanted[segs[i].Sequence] {
			c.history.tokens--
		}
	}
}

// expectedSizes returns how many bytes a segment has or is expected to have: the mean of those known, else what the
// bandwidth says. It also notes which segments had to make room.
func (c *Core) expectedSizes() func(*Segment) int64 {
	var sum, known int64
	for _, seg := range c.table.order {
		c.settleRoom(seg)
		if seg.Total > 0 {
			sum, known = sum+seg.Total, known+1
		}
	}
	return func(seg *Segment) int64 {
		switch {
		case seg.Total > 0:
			return seg.Total
		case known > 0:
			return sum / known
		}
		return int64(float64(c.Config.Bandwidth) / 8 * seg.Duration.Seconds())
	}
}

// region is the part of a long playlist that the store could hold if it held nothing else: the index of its first
// segment in the table, and the newest segment; nil without one.
func (c *Core) region(size func(*Segment) int64) (first int, edge *Segment) {
	left := c.store.Stats().Limit
	for first = len(c.table.order); first > 0 && left >= 0; first-- {
		seg := c.table.order[first-1]
		if !seg.InPlaylist() || seg.Gap {
			continue
		}
		if edge == nil {
			edge = seg
		}
		left -= size(seg)
	}
	return first, edge
}

// settleRoom notes a segment that had to make room, and returns room for one that did not come.
func (c *Core) settleRoom(seg *Segment) {
	switch {
	case seg.Held():
		seg.kept, seg.lost, seg.reserved = true, false, false
	case seg.State != schedule.Missing:
	default:
		if seg.reserved {
			c.store.Release(seg.Key)
			seg.reserved = false
		}
		seg.lost = seg.lost || seg.kept || seg.noRoom
		seg.kept = false
	}
}

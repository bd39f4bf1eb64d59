package rendition

import (
	"cmp"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Simultaneous fetches of one rendition's seeder, and how full the store may
// be before a VOD seeder fetches only what viewers are about to want.
const (
	seederSlots    = 4
	fullPercent    = 95
	segmentsNeeded = 8 // ahead of each viewer
	leastShare     = 8 // the part of the store that a film's rendition gets at least
)

// seed fetches what a seeder should hold.
func (r *Rendition) seed(now time.Time) {
	r.beginFilling(now)
	defer r.endFilling()
	if !r.filling.on && r.origin.pausing(now) {
		return
	}
	if r.playlist.Live {
		r.seedLive(now)
	} else {
		r.seedVOD(now)
	}
}

// seedVOD fetches from where viewers are to the end and then from the start, as much as the store can hold together with
// the other renditions: what came beyond that would displace what is held, and be fetched again.
func (r *Rendition) seedVOD(now time.Time) {
	r.history.look(r, now)
	size := r.expectedSizes()
	st := r.shared.Store.Stats()
	held := int64(0)
	var all []*segment
	for _, seg := range r.segments.order {
		if seg.held() {
			held += size(seg)
		}
		if seg.inPlaylist() && !seg.Gap {
			all = append(all, seg)
		}
	}
	// Other renditions hold the rest, and make room for some of what viewers here need next.
	room := max(st.Limit/100*fullPercent-(st.Bytes-held), st.Limit/leastShare)
	segs, wanted, outside := r.filmPart(all, room, size)
	view := schedule.SeederView{Now: now, Slots: r.slots(), Wanted: wanted}
	segs = r.mayFetch(segs, outside)
	for i, seg := range segs {
		if r.history.wanted[seg.Sequence] {
			view.Next = append(view.Next, i)
		}
		view.Segments = append(view.Segments, schedule.Segment{ID: seg.Sequence, State: seg.state, RetryAt: r.retryAt(seg)})
	}
	r.history.sort(view.Next, segs)
	for _, i := range schedule.Seeder(view) {
		if r.obtain(segs[i], now) && outside[segs[i]] {
			r.history.tokens--
		}
	}
}

// reach is the part of a film that fits into so many bytes, from wanted on and then from the start, in the film's order.
// The next one belongs to it in any case.
func reach(all []*segment, wanted, room int64, size func(*segment) int64) []*segment {
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

func bySequence(s *segment, n int64) int { return cmp.Compare(s.Sequence, n) }

// seedLive fetches from the live edge backwards, as much as the store can hold together with the other renditions, and
// what viewers in the history are about to play.
func (r *Rendition) seedLive(now time.Time) {
	size := r.expectedSizes()
	region, edge := r.region(size)
	if edge == nil {
		return
	}
	reach := edge.Start + edge.Duration - schedule.LiveReach
	if r.playlist.Segments[0].Start < reach {
		r.history.look(r, now)
	} else {
		r.history.clear()
	}
	view := schedule.SeederView{Now: now, Live: true, Slots: r.slots()}
	var segs []*segment
	for i, seg := range r.segments.order {
		wanted := seg.Start < reach && r.history.wanted[seg.Sequence]
		if !seg.inPlaylist() || seg.Gap || (i < region && !wanted) {
			continue
		}
		if seg.lost {
			view.Floor = seg.Sequence + 1
		}
		if wanted && seg.state == schedule.Missing && r.history.may(len(view.Next)) {
			view.Next = append(view.Next, len(segs))
		}
		segs = append(segs, seg)
		view.Segments = append(view.Segments, schedule.Segment{
			ID: seg.Sequence, Start: seg.Start, Duration: seg.Duration, State: seg.state, RetryAt: r.retryAt(seg),
		})
	}
	r.history.sort(view.Next, segs)
	if st := r.shared.Store.Stats(); st.Bytes < st.Limit/2 {
		view.Floor = 0 // there is room again, after another rendition has ended
	}
	view.Room = func(i int) bool {
		seg := segs[i]
		start := seg.Start
		if r.history.wanted[seg.Sequence] {
			// As useful as what has just left the reach of new viewers: it displaces older history, and nothing newer.
			start = max(start, reach)
		}
		seg.reserved = r.shared.Store.Reserve(seg.key, start.Milliseconds(), size(seg))
		return seg.reserved
	}
	for _, i := range schedule.Seeder(view) {
		if r.obtain(segs[i], now) && segs[i].Start < reach && r.history.wanted[segs[i].Sequence] {
			r.history.tokens--
		}
	}
}

// expectedSizes returns how many bytes a segment has or is expected to have: the mean of those known, else what the
// bandwidth says. It also notes which segments had to make room.
func (r *Rendition) expectedSizes() func(*segment) int64 {
	var sum, known int64
	for _, seg := range r.segments.order {
		r.settleRoom(seg)
		if seg.total > 0 {
			sum, known = sum+seg.total, known+1
		}
	}
	return func(seg *segment) int64 {
		switch {
		case seg.total > 0:
			return seg.total
		case known > 0:
			return sum / known
		}
		return int64(float64(r.info.Bandwidth) / 8 * seg.Duration.Seconds())
	}
}

// region is the part of a long playlist that the store could hold if it held nothing else: the index of its first
// segment in the table, and the newest segment; nil without one.
func (r *Rendition) region(size func(*segment) int64) (first int, edge *segment) {
	left := r.shared.Store.Stats().Limit
	for first = len(r.segments.order); first > 0 && left >= 0; first-- {
		seg := r.segments.order[first-1]
		if !seg.inPlaylist() || seg.Gap {
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
func (r *Rendition) settleRoom(seg *segment) {
	switch {
	case seg.held():
		seg.kept, seg.lost, seg.reserved = true, false, false
	case seg.state != schedule.Missing:
	default:
		if seg.reserved {
			r.shared.Store.Release(seg.key)
			seg.reserved = false
		}
		seg.lost = seg.lost || seg.kept || seg.noRoom
		seg.kept = false
	}
}

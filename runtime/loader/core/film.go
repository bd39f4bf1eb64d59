package core

import (
	"slices"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// filmPart is the part of a film that a seeder is to hold in so many bytes, in the film's order, and the media sequence
// from which on it matters most: that is where most viewers are. What a few viewers elsewhere play next is held, too, and
// is listed as outside. It also notes what each segment is worth.
func (c *Core) filmPart(all []*Segment, room int64, size func(*Segment) int64) (part []*Segment, from int64, outside map[*Segment]bool) {
	if len(all) == 0 {
		return nil, 0, nil
	}
	h := &c.history
	h.from = schedule.Crowd(h.next, max(h.from, all[0].Sequence), int64(len(reach(all, h.from, room, size))))
	part = reach(all, h.from, room, size)
	outside = c.elsewhere(all, part, room/2, size)
	if len(outside) > 0 {
		left := room
		for seg := range outside {
			left -= size(seg)
		}
		near := reach(all, h.from, left, size)
		inside := make(map[*Segment]bool, len(near))
		for _, seg := range near {
			inside[seg] = true
		}
		part = slices.DeleteFunc(slices.Clone(all), func(seg *Segment) bool { return !inside[seg] && !outside[seg] })
	}
	c.value(part, h.from, outside)
	return part, h.from, outside
}

// elsewhere are the segments outside of a part that viewers play next, those that are needed soonest first, as many as fit.
func (c *Core) elsewhere(all, part []*Segment, room int64, size func(*Segment) int64) map[*Segment]bool {
	if len(part) == len(all) {
		return nil
	}
	inside := make(map[*Segment]bool, len(part))
	for _, seg := range part {
		inside[seg] = true
	}
	var others []*Segment
	for _, seg := range all {
		if c.history.wanted[seg.Sequence] && !inside[seg] {
			others = append(others, seg)
		}
	}
	slices.SortFunc(others, func(a, b *Segment) int { return c.history.turn[a.Sequence] - c.history.turn[b.Sequence] })
	out := make(map[*Segment]bool, len(others))
	for _, seg := range others {
		if room -= size(seg); room < 0 {
			break
		}
		out[seg] = true
	}
	return out
}

// mayFetch leaves out what viewers elsewhere want beyond what time allows: a peer can claim to be anywhere.
func (c *Core) mayFetch(part []*Segment, outside map[*Segment]bool) []*Segment {
	if len(outside) == 0 {
		return part
	}
	kept, begun := make([]*Segment, 0, len(part)), 0
	for _, seg := range part {
		if outside[seg] && seg.State == schedule.Missing {
			if !c.history.may(begun) {
				continue
			}
			begun++
		}
		kept = append(kept, seg)
	}
	return kept
}

// value tells the store what the segments of a film are worth: what is to be held ranks above everything else, by the
// order in which it is fetched, so that what other renditions need displaces what matters least.
func (c *Core) value(part []*Segment, from int64, outside map[*Segment]bool) {
	worth := make(map[*Segment]int64, len(part))
	first, _ := slices.BinarySearchFunc(part, from, bySequence)
	for i, seg := range slices.Concat(part[first:], part[:first]) {
		worth[seg] = needed - int64(i)
		if outside[seg] {
			worth[seg] = needed
		}
	}
	for _, seg := range c.table.order {
		seg.worth = worth[seg]
		if rank := seederRank(false, seg); seg.Held() && rank != seg.rank {
			seg.rank = rank
			c.store.Rank(seg.Key, rank)
		}
	}
}

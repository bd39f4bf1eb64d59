package schedule

import (
	"cmp"
	"slices"
	"time"
)

// Need is a segment that is going to be played, and how soon.
type Need struct {
	Segment int           // index into View.Segments
	Lead    time.Duration // until it is needed
	Waited  bool          // a player waits for it: it is got even if it would not stay
}

// Head is the position of one player that is served on demand. Its requests are
// all that is known of its playback.
type Head struct {
	Front int           // index of the segment that it asked for last
	Asked time.Duration // media that it has asked for in a row, the front included
	Dry   time.Time     // when its buffer is empty, at the earliest
}

// Wait is a player's request that cannot be answered yet.
type Wait struct {
	Segment int       // index into DemandView.Segments
	Since   time.Time // when it was asked for
	Dry     time.Time // when that player's buffer is empty, as known then
}

// DemandView is what a viewer knows of its own players at one moment.
type DemandView struct {
	Now      time.Time
	Segments []Segment // playlist order
	Heads    []Head
	Waits    []Wait
	Limits   Limits
	Patience time.Duration // how long a player with media to play may wait for peers
}

// Demand returns what the players need, the most urgent first; of what several
// need, the soonest counts.
//
//   - A request that waits is urgent if its player has nothing else to play.
//     Otherwise peers get some time: the lead runs down to urgent within
//     Patience, so that the lottery of Viewer spreads many such viewers over it.
//   - What comes behind the front of a player is needed when that player has
//     played what it was given, and never urgent before it asks. A player that
//     asks faster than it could play gets the next segment ahead, too.
//   - How far ahead is collected grows with what a player has asked for, since
//     players ask for single segments of renditions that they then leave.
func Demand(v DemandView) []Need {
	leads := make(map[int]time.Duration, len(v.Waits)+8*len(v.Heads))
	waited := make(map[int]bool, len(v.Waits))
	need := func(i int, lead time.Duration) {
		if old, ok := leads[i]; !ok || lead < old {
			leads[i] = lead
		}
	}
	for _, w := range v.Waits {
		if w.Segment >= 0 && w.Segment < len(v.Segments) {
			need(w.Segment, v.waiting(w))
			waited[w.Segment] = true
		}
	}
	for _, h := range v.Heads {
		v.ahead(h, need)
	}
	needs := make([]Need, 0, len(leads))
	for i, lead := range leads {
		needs = append(needs, Need{Segment: i, Lead: lead, Waited: waited[i]})
	}
	slices.SortFunc(needs, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Lead, b.Lead), cmp.Compare(a.Segment, b.Segment))
	})
	return needs
}

// waiting is the lead of a segment that a player waits for.
func (v DemandView) waiting(w Wait) time.Duration {
	patience := min(w.Dry.Sub(w.Since)-v.Limits.Urgent, v.Patience)
	waited := v.Now.Sub(w.Since)
	if patience <= 0 || waited >= patience {
		// Urgent, but a transfer that runs is measured by when the player really needs its end.
		return min(max(w.Dry.Sub(v.Now), 0), v.Limits.Urgent)
	}
	left := 1 - float64(max(waited, 0))/float64(patience)
	return v.Limits.Urgent + time.Duration(left*float64(v.Limits.HTTPAhead-v.Limits.Urgent))
}

// ahead calls need for what lies ahead of a player.
func (v DemandView) ahead(h Head, need func(int, time.Duration)) {
	if h.Front < 0 || h.Front >= len(v.Segments) {
		return
	}
	end := v.Segments[h.Front].End()
	most := min(2*h.Asked, v.Limits.PeerAhead)
	for i := h.Front + 1; i < len(v.Segments); i++ {
		distance := max(v.Segments[i].Start-end, 0)
		if i > h.Front+1 && distance >= most {
			return
		}
		lead := min(h.Dry.Sub(v.Now)+distance, v.Limits.HTTPAhead+distance)
		need(i, max(lead, v.Limits.Urgent+1))
	}
}

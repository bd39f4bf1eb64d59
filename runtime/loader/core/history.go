package core

import (
	"slices"
	"time"
)

// Bounds of what a live seeder fetches because viewers play in the history. A peer can claim to be anywhere: what its
// claims cost the origin is bounded by time, whatever it says.
const (
	historyBurst   = 2 * segmentsNeeded     // segments at once
	historyPerTime = 4                      // and so many for each target duration
	historyLook    = time.Second            // how often the viewers' places are looked at
	maxPlaces      = 64                     // of viewers in the history
	leastTarget    = 500 * time.Millisecond // of a playlist, for the pace
)

// history is what viewers in the history of a live playlist are about to play.
type history struct {
	wanted map[int64]bool // media sequences
	turn   map[int64]int  // their place in the order in which viewers need them
	looked time.Time
	tokens float64 // fetches that may begin
	filled time.Time

	next []int64 // media sequences that the viewers want next, in order; several may want one
	from int64   // of a film: where the part that is held begins
}

func (h *history) clear() { h.wanted, h.turn, h.next = nil, nil, nil }

// look brings up to date what is wanted and how many fetches may begin.
func (h *history) look(c *Core, now time.Time) {
	if h.filled.IsZero() {
		h.tokens = historyBurst
	} else {
		target := max(c.playlist.TargetDuration, leastTarget)
		h.tokens = min(historyBurst, h.tokens+historyPerTime*float64(now.Sub(h.filled))/float64(target))
	}
	h.filled = now
	if now.Sub(h.looked) >= historyLook && len(c.table.order) > 0 {
		h.looked = now
		h.places(c.newestLoaded(), c.table.order[0].Sequence)
	}
}

// places notes the segments behind the newest one of each viewer: first the next one of each, then the one behind it.
// Viewers whose newest one is before first hold nothing that is known here.
func (h *history) places(newest []int64, first int64) {
	h.wanted, h.turn = make(map[int64]bool), make(map[int64]int)
	slices.Sort(newest)
	newest = slices.DeleteFunc(newest, func(n int64) bool { return n < first })
	h.next = h.next[:0]
	for _, n := range newest {
		h.next = append(h.next, n+1)
	}
	newest = slices.Compact(newest)
	newest = newest[:min(len(newest), maxPlaces)]
	for ahead := range int64(segmentsNeeded) {
		for _, n := range newest {
			if next := n + 1 + ahead; !h.wanted[next] {
				h.wanted[next] = true
				h.turn[next] = len(h.turn)
			}
		}
	}
}

// may tells whether one more fetch than n may begin.
func (h *history) may(n int) bool { return float64(n+1) <= h.tokens }

// sort puts indexes of segs in the order in which viewers need them.
func (h *history) sort(next []int, segs []*Segment) {
	slices.SortFunc(next, func(a, b int) int { return h.turn[segs[a].Sequence] - h.turn[segs[b].Sequence] })
}

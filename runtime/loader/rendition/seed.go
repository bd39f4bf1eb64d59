package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Simultaneous fetches of one rendition's seeder, and how full the store may
// be before a VOD seeder fetches only what viewers are about to want.
const (
	seederSlots    = 4
	fullPercent    = 95
	segmentsNeeded = 8 // ahead of the viewer who is furthest behind
)

// seed fetches what a seeder should hold.
func (r *Rendition) seed(now time.Time) {
	if r.origin.pausing(now) {
		return
	}
	live := r.playlist.Live
	wanted := r.wanted()
	full := false
	if st := r.shared.Store.Stats(); !live && st.Bytes >= st.Limit/100*fullPercent {
		full = true
	}
	view := schedule.SeederView{Now: now, Live: live, Slots: seederSlots, Wanted: wanted}
	var segs []*segment
	for _, seg := range r.segments.order {
		if !seg.inPlaylist() || seg.Gap {
			continue
		}
		if full && (seg.Sequence < wanted || seg.Sequence >= wanted+segmentsNeeded) {
			continue
		}
		segs = append(segs, seg)
		view.Segments = append(view.Segments, schedule.Segment{ID: seg.Sequence, State: seg.state, RetryAt: seg.retryAt})
	}
	for _, i := range schedule.Seeder(view) {
		r.fetch(segs[i], now)
	}
}

// wanted is the media sequence that the viewer who is furthest behind will
// want next, judged by what viewers announce; the first one without viewers.
func (r *Rendition) wanted() int64 {
	if len(r.segments.order) == 0 {
		return 0
	}
	first := r.segments.order[0].Sequence
	position := make(map[identity.Generation]map[int64]int64, len(r.shared.Settings.Generations))
	wanted, known := first, false
	for _, s := range r.sessions {
		a := s.Announced()
		if a.LoadedLen() == 0 {
			continue
		}
		ids := position[s.Generation()]
		if ids == nil {
			ids = make(map[int64]int64, len(r.segments.order))
			for _, seg := range r.segments.order {
				ids[seg.ID(s.Generation())] = seg.Sequence
			}
			position[s.Generation()] = ids
		}
		newest := first - 1
		for id := range a.Loaded {
			if sequence, ok := ids[id]; ok && sequence > newest {
				newest = sequence
			}
		}
		if next := newest + 1; !known || next < wanted {
			wanted, known = next, true
		}
	}
	return wanted
}

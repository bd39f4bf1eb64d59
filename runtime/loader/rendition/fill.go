package rendition

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
)

// An edge seeder gets what it is to hold from other seeders, and from the origin only what these do not bring in time; see
// schedule.Fill. Everything else it does as other seeders do.
const (
	seekSeeders = 4                // connections that it looks for in each swarm
	fillConnect = 3 * time.Second  // how long after it joined a first one may take to connect
	calmConnect = 10 * time.Second // the same for segments that players are not near: as long as a connection may take
	fillTrouble = time.Minute      // a failure so long after the first one in a row is a first one
	fillAhead   = 8                // segments that may wait for other seeders, beside those that are fetched
)

// filling is what an edge seeder waits for. The rendition's owner has it.
type filling struct {
	waiting, before map[*segment]bool // segments that wait for another seeder, in this pass and in the one before
	until           time.Time         // when the first of them is not waited for any longer; zero: none waits
	fetching        int               // segments that come from the origin
	mates           int               // seeders of the site that are connected
	metAt           time.Time         // when one of these came
	failedAt        time.Time         // when a seeder failed to deliver, and none has delivered since
	reach           time.Duration     // players are near segments from here on; of a film, to none
}

// comes tells whether a segment is announced as on its way though the origin is not asked: another seeder brings it.
func (f *filling) comes(seg *segment) bool {
	return f.waiting != nil && (seg.state == schedule.Requested || f.waiting[seg])
}

// slots is how many segments are looked at in one pass.
func (r *Rendition) slots() int {
	if r.shared.Settings.Edge {
		return seederSlots + fillAhead
	}
	return seederSlots
}

// retryAt is before what time a segment is not looked at. At the edge that concerns the origin alone.
func (r *Rendition) retryAt(seg *segment) time.Time {
	if r.shared.Settings.Edge {
		return time.Time{}
	}
	return seg.retryAt
}

// beginFilling begins a pass of an edge seeder, and gives up requests that take too long.
func (r *Rendition) beginFilling(now time.Time) {
	f := &r.filling
	if !r.shared.Settings.Edge {
		return
	}
	f.before, f.waiting = f.waiting, make(map[*segment]bool)
	f.until, f.fetching, f.reach = time.Time{}, 0, math.MaxInt64
	if n := len(r.playlist.Segments); r.playlist.Live && n > 0 {
		last := r.playlist.Segments[n-1]
		f.reach = last.Start + last.Duration - schedule.LiveReach
	}
	f.meet(r.sessions, now)
	for _, seg := range r.segments.order {
		switch seg.state {
		case schedule.Fetching:
			f.fetching++
		case schedule.Requested:
			if flight, running := seg.from.Flight(); running && schedule.FillLate(toFlight(flight), r.playlist.TargetDuration, f.calm(seg), now) {
				r.abandon(seg, now)
			}
		}
	}
}

// meet notes when another seeder of the site connects: with it, the work is shared anew.
func (f *filling) meet(sessions []*session.Session, now time.Time) {
	mates := 0
	for _, s := range sessions {
		if fills(s) && s.Origin().Near {
			mates++
		}
	}
	if mates > f.mates {
		f.metAt = now
	}
	f.mates = mates
}

// calm tells whether players are not near a segment.
func (f *filling) calm(seg *segment) bool { return seg.Start < f.reach }

// failed notes that a request to a seeder came to nothing.
func (f *filling) failed(now time.Time) {
	if now.Sub(f.failedAt) > fillTrouble {
		f.failedAt = now
	}
}

func toFlight(f session.Flight) schedule.Flight {
	return schedule.Flight{Since: f.Since, LastBytes: f.LastBytes, Received: f.Received, Remaining: f.Remaining}
}

// endFilling ends a pass.
func (r *Rendition) endFilling() {
	if !maps.Equal(r.filling.before, r.filling.waiting) {
		r.announcer.dirty = true
	}
	r.filling.before = nil
}

// obtain gets a segment that a seeder is to hold. It returns false if it waits for another seeder to have it, or the origin
// cannot be asked now.
func (r *Rendition) obtain(seg *segment, now time.Time) bool {
	if !r.shared.Settings.Edge || r.alone() {
		r.fetch(seg, now)
		return true
	}
	if r.silent() {
		return false // it is not clear which event the segment, or the peers, belong to
	}
	if seg.wantedAt.IsZero() {
		seg.wantedAt = now
	}
	sources, sessions := r.sources(seg, now)
	if seg.offeredAt.IsZero() && slices.ContainsFunc(sources, func(s schedule.FillSource) bool { return !s.Near && s.Holds == schedule.Loaded }) {
		seg.offeredAt = now
	}
	anew, connect := seg.offeredAt, fillConnect
	if r.filling.metAt.After(anew) {
		anew = r.filling.metAt
	}
	calm := r.filling.calm(seg)
	if calm {
		connect = calmConnect
	}
	plan := schedule.Fill(schedule.FillView{
		Now: now, Since: seg.wantedAt, Anew: anew, Calm: calm, Target: r.playlist.TargetDuration, Tries: seg.tries, Sources: sources,
		Expect: r.joinedAt.Add(connect), Failed: r.filling.failedAt,
		Origin: r.filling.fetching < seederSlots && !now.Before(seg.retryAt) && !r.origin.pausing(now),
	})
	switch {
	case plan.Source >= 0:
		seg.tries++
		r.request(sessions[plan.Source], seg, now)
		r.announcer.dirty = true
		return true
	case plan.Origin:
		r.filling.fetching++
		r.fetch(seg, now)
		return true
	case !plan.Until.IsZero():
		r.filling.waiting[seg] = true
		if u := &r.filling.until; u.IsZero() || plan.Until.Before(*u) {
			*u = plan.Until
		}
	}
	return false
}

// sources are the seeders that are connected, as far as a segment is concerned, with their sessions. A seeder has one for each
// generation; its place in the order of the site's seeders is that of its id in the first generation.
func (r *Rendition) sources(seg *segment, now time.Time) (all []schedule.FillSource, sessions []*session.Session) {
	own, first := r.swarms.id.Load(), r.shared.Settings.Generations[0]
	oldestClaim := session.OldestClaim(now, r.playlist.TargetDuration)
	calm := r.filling.calm(seg)
	for _, s := range r.sessions {
		if !fills(s) {
			continue
		}
		_, busy := s.Flight()
		source := schedule.FillSource{
			Near: s.Origin().Near, Busy: busy, Speed: float64(s.Speed()), Failed: s == seg.notFrom && !calm || !s.Usable(now),
			Holds: s.Announced().Holding(r.segments.externalID(seg.Sequence, s.Generation()), oldestClaim),
		}
		source.Before = source.Near && s.Generation() == first && own != nil && schedule.FillBefore(string(s.ID()), string(*own), seg.ID(first))
		all, sessions = append(all, source), append(sessions, s)
	}
	return all, sessions
}

// fills tells whether a peer is a seeder that can be asked. Other ids that look like those of seeders are not reserved for them
// by trackers. One that has just connected says what it holds in a moment.
func fills(s *session.Session) bool {
	return strings.HasPrefix(string(s.ID()), identity.SeederPrefix) && s.Announced() != nil
}

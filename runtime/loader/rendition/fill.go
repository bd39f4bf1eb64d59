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

// A seeder gets what it is to hold from other seeders, and from the origin only what these do not bring in time; see
// schedule.Fill. An edge seeder fills from those of its site and from central ones, a central one from others like it. One
// that is alone asks the origin at once.
const (
	seekSeeders = 4                // connections that an edge seeder looks for in each swarm
	seekMates   = 7                // the same for a central one, as many as trackers introduce; in the first swarm
	fillHello   = time.Second      // how long after it joined a central one may take to learn whether it is alone
	fillConnect = 3 * time.Second  // how long after it joined a first connection may take
	calmConnect = 10 * time.Second // the same at the edge for segments that players are not near
	fillTrouble = time.Minute      // a failure so long after the first one in a row is a first one
	fillAhead   = 8                // segments that may wait for other seeders, beside those that are fetched
	fillSilent  = 3                // target durations after which a central seeder that announces nothing new has no turn
)

// filling is what a seeder waits for. The rendition's owner has it.
type filling struct {
	on              bool              // other seeders are asked, or may soon be
	expect          time.Time         // until then a first connection to a seeder may still come
	slots           int               // segments that may come from the origin at a time
	waiting, before map[*segment]bool // segments that wait for another seeder, in this pass and in the one before
	until           time.Time         // when the first of them is not waited for any longer; zero: none waits
	fetching        int               // segments that come from the origin
	heard           map[*session.Session]heard
	mates           int           // seeders that share the work, are connected and do their part
	metAt           time.Time     // when one of these came
	failedAt        time.Time     // when a seeder failed to deliver, and none has delivered since
	reach           time.Duration // players are near segments from here on; of a film, to none
}

// comes tells whether a segment is announced as on its way though the origin is not asked: a seeder waits for another one.
func (f *filling) comes(seg *segment) bool { return f.waiting[seg] }

// slots is how many segments are looked at in one pass.
func (r *Rendition) slots() int {
	if r.filling.on {
		return seederSlots + fillAhead
	}
	return seederSlots
}

// retryAt is before what time a segment is not looked at. With other seeders that concerns the origin alone.
func (r *Rendition) retryAt(seg *segment) time.Time {
	if r.filling.on {
		return time.Time{}
	}
	return seg.retryAt
}

// company notes whether there are other seeders to get segments from. Before a central seeder knows, it asks the origin for one
// segment at a time: the others may hold the rest. It waits for none when a viewer is connected already, or when it is not clear
// which event the others have.
func (r *Rendition) company(now time.Time) {
	f := &r.filling
	f.meet(r, now)
	f.slots, f.expect = seederSlots, time.Time{}
	connect := r.joinedAt.Add(fillConnect)
	switch {
	case r.alone():
		f.on = false
	case r.shared.Settings.Edge:
		f.on, f.expect = true, connect
	case r.silent():
		f.on = false
	case f.mates > 0:
		f.on = true
	case r.audience():
		f.on = false
	case !r.census.known:
		if f.on = now.Before(r.joinedAt.Add(fillHello)); f.on {
			f.slots = 1
		}
	default:
		if f.on = r.census.Seeders > 0 && now.Before(connect); f.on {
			f.expect = connect
		}
	}
}

// audience tells whether a viewer is connected.
func (r *Rendition) audience() bool {
	return slices.ContainsFunc(r.sessions, func(s *session.Session) bool { return !s.Seeder() })
}

// beginFilling begins a pass, and gives up requests to other seeders that take too long.
func (r *Rendition) beginFilling(now time.Time) {
	f := &r.filling
	r.company(now)
	f.before, f.waiting = f.waiting, nil
	f.until = time.Time{}
	if f.on {
		f.waiting = make(map[*segment]bool)
	}
	f.fetching, f.reach = 0, math.MaxInt64
	if n := len(r.playlist.Segments); r.playlist.Live && n > 0 {
		last := r.playlist.Segments[n-1]
		f.reach = last.Start + last.Duration - schedule.LiveReach
	}
	for _, seg := range r.segments.order {
		switch seg.state {
		case schedule.Fetching:
			f.fetching++
		case schedule.Requested: // also after the last of those that share the work has gone silent
			if flight, running := seg.from.Flight(); running && r.late(flight, seg, now) {
				r.abandon(seg, now)
			}
		}
	}
}

// meet notes when another seeder connects with which the work is shared: it is shared anew.
func (f *filling) meet(r *Rendition, now time.Time) {
	mates := 0
	heard := make(map[*session.Session]heard, len(f.heard))
	for _, s := range r.sessions {
		if !r.fills(s) || !r.mate(s) {
			continue
		}
		h := f.heard[s]
		if a := s.Announced(); a != h.said {
			h.said, h.at = a, now
		}
		heard[s] = h
	}
	f.heard = heard
	for s := range heard {
		if f.works(r, s, now) {
			mates++
		}
	}
	if mates > f.mates {
		f.metAt = now
	}
	f.mates = mates
}

// heard is what a seeder that shares the work announced last, and when.
type heard struct {
	said *session.Announcement
	at   time.Time
}

// works tells whether a seeder that shares the work can be expected to do its part. One that stops announces nothing. In a live
// stream one that says nothing new for long hangs, or is cut off from the origin.
func (f *filling) works(r *Rendition, s *session.Session, now time.Time) bool {
	h := f.heard[s]
	if r.shared.Settings.Edge {
		return true // the line is worth the wait
	}
	return h.said.Len() > 0 && (!r.playlist.Live || r.playlist.Ended || now.Sub(h.at) < max(r.playlist.TargetDuration, leastTarget)*fillSilent)
}

// calm tells whether players are not near a segment. To a central seeder, those that are about to play it are near.
func (r *Rendition) calm(seg *segment) bool {
	return seg.Start < r.filling.reach && (r.shared.Settings.Edge || !r.history.wanted[seg.Sequence])
}

// urgent tells whether a viewer in the history of a live stream, or of a film, plays a segment next: a central seeder brings it as
// soon as it would alone.
func (r *Rendition) urgent(seg *segment) bool {
	return !r.shared.Settings.Edge && seg.Start < r.filling.reach && slices.Contains(r.history.next, seg.Sequence)
}

// late tells whether a request to another seeder is to be given up.
func (r *Rendition) late(f session.Flight, seg *segment, now time.Time) bool {
	return schedule.FillLate(toFlight(f), r.playlist.TargetDuration, r.calm(seg), !r.shared.Settings.Edge, now)
}

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
	if !r.filling.on {
		r.fetch(seg, now)
		return true
	}
	if r.silent() {
		return false // at the edge: it is not clear which event the segment, or the peers, belong to
	}
	if seg.wantedAt.IsZero() {
		seg.wantedAt = now
	}
	sources, sessions := r.sources(seg, now)
	if seg.offeredAt.IsZero() && slices.ContainsFunc(sources, func(s schedule.FillSource) bool { return !s.Near && s.Holds == schedule.Loaded }) {
		seg.offeredAt = now
	}
	anew, expect := seg.offeredAt, r.filling.expect
	if r.filling.metAt.After(anew) {
		anew = r.filling.metAt
	}
	calm := r.calm(seg)
	if calm && r.shared.Settings.Edge {
		expect = r.joinedAt.Add(calmConnect)
	}
	plan := schedule.Fill(schedule.FillView{
		Now: now, Shared: !r.shared.Settings.Edge, Since: seg.wantedAt, Anew: anew, Calm: calm, Urgent: r.urgent(seg), Target: r.playlist.TargetDuration, Tries: seg.tries, Sources: sources,
		Expect: expect, Failed: r.filling.failedAt,
		Origin: r.filling.fetching < r.filling.slots && !now.Before(seg.retryAt) && !r.origin.pausing(now),
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
	calm := r.calm(seg)
	for _, s := range r.sessions {
		if !r.fills(s) {
			continue
		}
		_, busy := s.Flight()
		source := schedule.FillSource{
			Near: r.mate(s), Busy: busy, Speed: float64(s.Speed()), Failed: s == seg.notFrom && !calm || !s.Usable(now),
			Holds: s.Announced().Holding(r.segments.externalID(seg.Sequence, s.Generation()), oldestClaim),
		}
		source.Before = source.Near && s.Generation() == first && own != nil && r.filling.works(r, s, now) && schedule.FillBefore(string(s.ID()), string(*own), seg.ID(first))
		all, sessions = append(all, source), append(sessions, s)
	}
	return all, sessions
}

// fills tells whether a peer is a seeder that can be asked. Other ids that look like those of seeders are not reserved for them
// by trackers. One that has just connected says what it holds in a moment. A central seeder gets nothing from the edge.
func (r *Rendition) fills(s *session.Session) bool {
	return strings.HasPrefix(string(s.ID()), identity.SeederPrefix) && s.Announced() != nil &&
		(r.shared.Settings.Edge || s.Origin().Shares)
}

// mate tells whether a seeder that can be asked shares the work with this one.
func (r *Rendition) mate(s *session.Session) bool {
	o := s.Origin()
	return o.Shares || r.shared.Settings.Edge && o.Near
}

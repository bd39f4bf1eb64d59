package schedule

import "time"

// This file decides whom a seeder tells of a live segment that it holds, for one group of viewers that can give it to
// each other: the viewers of a site. One of them is told, gets the segment and announces it; the others learn that it is
// on its way. docs/super-seeding.md describes the whole.

// SpreadTimes say how long one viewer alone is trusted to bring a segment into its group. The zero value: no segment is
// held back.
type SpreadTimes struct {
	Target time.Duration // target duration of the playlist
	Late   time.Duration // after this long without the segment the next viewer is told, see Sharer.Usual
	All    time.Duration // after this long every viewer that lacks the segment is told
}

// On tells whether segments are held back at all.
func (t SpreadTimes) On() bool { return t.All > 0 }

// Shares of a target duration, in percent. A viewer asks for a segment only once its own playlist names it, which takes
// up to a target duration: a later second viewer would cost less, but would leave less time when the first one fails.
const (
	latePercent      = 40  // the next viewer is told
	allPercent       = 125 // every viewer is told, at most
	nearLatePercent  = 20  // the same inside a site, where a copy costs little
	nearAllPercent   = 60
	usualPercent     = 12 // how much later than usual a viewer may be
	leastAllPercent  = 75 // with less time for a relay no segment is held back
	highPercent      = 75 // the part of a target duration that players leave to HTTP, see leastHigh
	leastHigh        = 3 * time.Second
	transfer         = 2 * time.Second // of a segment between viewers
	leastAhead       = 3               // target durations that a player stays behind the edge at least (RFC 8216 §6.3.3)
	depthWithoutRoom = 2               // the oldest segments of a playlist, which players avoid
)

// SpreadFor draws the times from a live playlist of so many entries: players with the settings of the tracker begin
// `distance` behind the edge, see a segment up to a target duration after it was published, and leave it to HTTP when its
// begin is nearer than the high-demand window. Half of what remains is for the first viewer, half for the others. near
// says that the seeder is in the same site as the viewers. The times are zero where too little remains.
func SpreadFor(target time.Duration, entries int, near bool) SpreadTimes {
	if target <= 0 || target > time.Hour || entries < 1 {
		return SpreadTimes{}
	}
	high := max(target*highPercent/100, leastHigh)
	depth := int((2*target + high + transfer + target - 1) / target)
	most := entries - depthWithoutRoom
	if most < leastAhead {
		most = entries - 1
	}
	distance := time.Duration(min(max(depth, leastAhead), most)) * target
	all := min(target*allPercent/100, (distance-target-high)/2)
	if all < target*leastAllPercent/100 {
		return SpreadTimes{}
	}
	late := target * latePercent / 100
	if near {
		all, late = min(all, target*nearAllPercent/100), target*nearLatePercent/100
	}
	return SpreadTimes{Target: target, Late: late, All: all}
}

// Sharer is one viewer of a group, as far as one segment is concerned.
type Sharer struct {
	Fit   bool      // may be chosen: it passes segments on, and keeps up
	Tier  int       // those of a lower tier are chosen first
	Rank  uint64    // among equals the highest is chosen, see SpreadRank
	Holds bool      // it announced the segment
	Told  time.Time // when it was told that it can have the segment; zero if it was not
	Asked bool      // it asked for the segment
	Since time.Time // when it connected
	// Usual is how long it lately took until it had a segment: mostly until its playlist named it.
	Usual time.Duration
}

// SpreadView is what a seeder knows of one segment and one group at one moment.
type SpreadView struct {
	Now     time.Time
	Since   time.Time // when the seeder had the segment
	Times   SpreadTimes
	Sharers []Sharer
}

// SpreadPlan is what a seeder does. Who was told stays told while no viewer of the group holds the segment.
type SpreadPlan struct {
	Tell int       // the viewer to be told now, an index into Sharers; -1: no further one
	Late bool      // it is told because those who were told before are late
	Open bool      // no viewer can be chosen: the segment is not held back
	Next time.Time // when to decide again if nothing changes before; zero: never
}

// Spread decides whom to tell of a segment. A viewer that lacks it after its own SpreadOverdue is told in any case.
func Spread(v SpreadView) SpreadPlan {
	plan := SpreadPlan{Tell: -1}
	held, told := false, false
	var waitUntil time.Time
	best := -1
	for i := range v.Sharers {
		s := &v.Sharers[i]
		if s.Holds {
			held = true
			continue
		}
		if at := SpreadOverdue(v.Since, s.Since, v.Times); at.After(v.Now) {
			plan.Next = earlier(plan.Next, at)
		}
		switch {
		case !s.Told.IsZero():
			told = true
			until := s.patience(v)
			if until.After(waitUntil) {
				waitUntil = until
			}
		case s.Fit && (best < 0 || before(s, &v.Sharers[best])):
			best = i
		}
	}
	switch {
	case held: // the group has it
	case told && v.Now.Before(waitUntil):
		plan.Next = earlier(plan.Next, waitUntil)
	case best >= 0:
		plan.Tell, plan.Late = best, told
		plan.Next = earlier(plan.Next, v.Now.Add(v.Times.Late))
	default:
		plan.Open = true
	}
	return plan
}

// patience is until when a viewer that was told is trusted. One that has asked is getting the segment: a second copy would
// only slow that down. One whose playlist is usually late has not failed.
func (s *Sharer) patience(v SpreadView) time.Time {
	if s.Asked {
		return s.Told.Add(v.Times.All)
	}
	until := s.Told.Add(v.Times.Late)
	usual := min(s.Usual+v.Times.Target*usualPercent/100, v.Times.All)
	if at := v.Since.Add(usual); s.Usual > 0 && at.After(until) {
		return at
	}
	return until
}

// SpreadOverdue is when a viewer that connected at joined is told of a segment that the seeder has since then, whatever
// the group does.
func SpreadOverdue(since, joined time.Time, t SpreadTimes) time.Time {
	if joined.After(since) {
		since = joined
	}
	return since.Add(t.All)
}

// before tells whether a is chosen before b.
func before(a, b *Sharer) bool {
	if a.Tier != b.Tier {
		return a.Tier < b.Tier
	}
	return a.Rank > b.Rank
}

// earlier is the earlier of both; a zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// SpreadSeed is a viewer's part of its ranks: FNV-1a of its peer id, which all seeders of a swarm see.
func SpreadSeed(peerID string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(peerID) {
		h = (h ^ uint64(peerID[i])) * 0x100000001b3
	}
	return h
}

// SpreadRank orders the viewers of a group for one segment, named by what all seeders call it. Seeders that see the same viewers
// choose the same one, and each viewer is chosen as often as any other (rendezvous hashing).
func SpreadRank(seed uint64, sequence int64) uint64 {
	x := seed ^ uint64(sequence)*0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

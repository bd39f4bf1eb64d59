package dash

import (
	"math"
	"time"
)

// availability is what the player's presentation timeline is at one time, for a player that has just opened the MPD.
// Times are in seconds. Source: shaka-player 4.16.9, media.PresentationTimeline.
type availability struct {
	now, begin, length, depth, early float64
	static                           bool
	longest                          float64 // segment
	end                              float64 // of the last segment that is listed; 0 if there is none
}

// availability goes through all representations in the order of the MPD, as the player does while it reads.
func (m *mpd) availability(now time.Time) *availability {
	a := &availability{now: seconds(now), begin: m.begin, depth: m.depth, static: m.static, longest: 1, length: math.Inf(1)}
	for _, p := range m.periods {
		for _, s := range p.sets {
			for _, r := range s.tracks {
				a.note(r, s.contentType == kindImage || s.contentType == kindText)
			}
		}
	}
	if m.static || !m.derived {
		a.length = m.length
	}
	if m.maxSegment > 0 {
		a.longest = math.Max(a.longest, m.maxSegment)
	}
	if m.earliness > 0 && !math.IsInf(m.earliness, 1) {
		a.early = m.earliness
	}
	return a
}

// note takes in one representation.
func (a *availability) note(r *representation, passive bool) {
	p := r.period
	switch r.source.addressing {
	case byNumber:
		if passive {
			return
		}
		a.longest = math.Max(a.longest, r.source.duration/r.source.timescale)
		if end := p.end(); a.static && !math.IsInf(end, 1) {
			a.end = math.Max(a.end, end)
		}
	case byTimeline:
		if !passive {
			a.noteTimeline(r.source.line, p)
		}
	case byList:
		a.noteList(r)
	case byNothing, byIndex:
	}
}

func (a *availability) noteTimeline(line *timeline, p *period) {
	found, end := false, 0.0
	line.fitting(p.end(), func(e entry) bool {
		if e.start+p.start < a.now {
			found, end = true, e.end+p.start
			a.longest = math.Max(a.longest, e.end-e.start)
		}
		return true
	})
	if found {
		a.listed(end)
	}
}

func (a *availability) noteList(r *representation) {
	found, end := false, 0.0
	r.eachListed(func(_ int, from, to float64) {
		if !found {
			found, end = true, to
		}
		if a.now >= from {
			end = math.Max(end, to)
			a.longest = math.Max(a.longest, to-from)
		}
	})
	if found {
		a.listed(end)
	}
}

// listed corrects the begin: what is listed last counts as published just now.
func (a *availability) listed(end float64) {
	a.end = math.Max(a.end, end)
	a.begin = a.now - a.end - a.longest
}

// last is the time up to which segments are available.
func (a *availability) last() float64 {
	if a.static {
		if a.end != 0 {
			return math.Min(a.end, a.length)
		}
		return a.length
	}
	return math.Min(math.Max(0, a.now-a.longest-a.begin)+a.early, a.length)
}

// first is the time from which segments are available.
func (a *availability) first() float64 {
	if math.IsInf(a.depth, 1) {
		return 0
	}
	return math.Max(0, a.last()-a.depth)
}

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
	spans := map[spanKey]span{}
	for _, p := range m.periods {
		for _, s := range p.sets {
			for _, r := range s.tracks {
				a.note(r, s.contentType == kindImage || s.contentType == kindText, spans)
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

// spanKey is all that the times of a list or timeline depend on: those of many representations are the same.
type spanKey struct {
	period                      *period
	line                        *timeline
	list                        *listed
	count                       int
	timescale, number, duration float64
}

func (r *representation) spanKey(s source) spanKey {
	key := spanKey{period: r.period, line: s.line, timescale: s.timescale, number: s.number, duration: s.duration, count: len(s.list)}
	if len(s.list) > 0 {
		key.list = &s.list[0]
	}
	return key
}

// span is what a list or timeline shows of the time.
type span struct {
	found        bool
	end, longest float64
}

// note takes in one representation. spans are those that were looked at already.
func (a *availability) note(r *representation, passive bool, spans map[spanKey]span) {
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
		return
	case byTimeline:
		if passive {
			return
		}
	case byList:
	case byNothing, byIndex:
		return
	}
	key := r.spanKey(r.source)
	s, known := spans[key]
	if !known {
		if r.source.addressing == byTimeline {
			s = a.timelineSpan(r.source.line, p)
		} else {
			s = a.listSpan(r)
		}
		spans[key] = s
	}
	if s.found {
		a.longest = math.Max(a.longest, s.longest)
		a.listed(s.end)
	}
}

func (a *availability) timelineSpan(line *timeline, p *period) (s span) {
	line.fitting(p.end(), func(e entry) bool {
		if e.start+p.start < a.now {
			s.found, s.end = true, e.end+p.start
			s.longest = math.Max(s.longest, e.end-e.start)
		}
		return true
	})
	return s
}

func (a *availability) listSpan(r *representation) (s span) {
	r.eachListed(func(_ int, from, to float64) {
		if !s.found {
			s.found, s.end = true, to
		}
		if a.now >= from {
			s.end = math.Max(s.end, to)
			s.longest = math.Max(s.longest, to-from)
		}
	})
	return s
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

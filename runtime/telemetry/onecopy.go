package telemetry

import "time"

// settled is after what time a viewer of a rendition plays at its pace: before, it also gets what newcomers get at once.
const settled = 30 * time.Second

// patience is for how long a rendition counts as played that no bytes come of: segments may be longer than the interval of
// reports.
func (a *Aggregate) patience(s *session) time.Duration {
	return time.Duration(a.cfg.LiveIntervals) * max(s.interval, a.cfg.Interval)
}

// rises takes note of what a report tells of renditions, and returns by how much each has risen since the report before.
func (s *session) rises(told []Played, now time.Time) ([]*playing, []Sources) {
	all, parts := make([]*playing, len(told)), make([]Sources, len(told))
	for i, p := range told {
		all[i] = s.playing(p.Rendition, now)
		parts[i] = p.Sub(all[i].bytes)
		if p.Sources != all[i].bytes {
			all[i].rose = now.UnixNano()
		}
		all[i].bytes = p.Sources
	}
	return all, parts
}

// current tells whether bytes of a rendition came lately.
func (p *playing) current(patience time.Duration, now time.Time) bool {
	return now.UnixNano()-p.rose <= int64(patience)
}

// playing returns what the session has of a rendition. One that is not told any more makes room for a new one.
func (s *session) playing(key string, now time.Time) *playing {
	for _, p := range s.played {
		if p.key == key {
			return p
		}
	}
	p := &playing{key: key, began: now.UnixNano()}
	if len(s.played) < 2*MaxPlayed {
		s.played = append(s.played, p)
		return p
	}
	oldest := 0
	for i, q := range s.played {
		if q.rose < s.played[oldest].rose {
			oldest = i
		}
	}
	s.played[oldest] = p
	return p
}

// cover returns the part of a session's bytes that one copy of the rendition gets from it. All viewers of a live stream
// receive the same bytes. So one copy is what a viewer would have received that was there all the time: each report counts for
// the time that no report before it covers, in proportion. What newcomers get at once would count several times; so they count
// only if there is no other viewer, or none that is heard. began is since when the session has played it, in Unix nanoseconds.
func (c *cell) cover(s *session, began int64, bytes float64, patience, elapsed time.Duration, now time.Time) int64 {
	age := time.Duration(now.UnixNano() - began)
	if age < settled && c.by != s && now.Sub(c.covered) <= patience {
		return 0
	}
	elapsed = max(elapsed, time.Millisecond) // 0 where it is not known
	from := now.Add(-elapsed)
	if c.covered.After(from) {
		from = c.covered
	}
	if !from.Before(now) {
		return 0
	}
	c.covered, c.by = now, s
	return int64(bytes * float64(now.Sub(from)) / float64(elapsed))
}

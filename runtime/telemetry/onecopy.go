package telemetry

import "time"

// settled is after what time a viewer of a rendition plays at its pace: before, it also gets what newcomers get at once.
const settled = 15 * time.Second

// rises takes note of what a report tells of renditions. It returns what is known of each, and what of it has risen since the
// report before.
func (s *session) rises(told []Played, at int64) ([]playing, []rise) {
	all, rises := make([]playing, len(told)), make([]rise, len(told))
	for i, t := range told {
		p := s.playing(t.Rendition, at)
		rises[i].Sources = t.Sub(p.bytes)
		if t.Sources != p.bytes {
			rises[i].since = p.rise(at)
		}
		p.bytes = t.Sources
		all[i] = *p
	}
	return all, rises
}

// rise is by how much the bytes of a rendition rose, and the time since they rose before; 0: they did not rise, or never before.
type rise struct {
	Sources
	since time.Duration
}

// rise takes note that bytes came and returns the time since some came before.
func (p *playing) rise(at int64) (since time.Duration) {
	if p.rose != 0 {
		since = time.Duration(at - p.rose)
	}
	p.rose = at
	return since
}

// current tells whether bytes of a rendition came lately.
func (p *playing) current(patience time.Duration, at int64) bool { return at-p.rose <= int64(patience) }

// playing returns what the session has of a rendition. One that is not told any more makes room for a new one.
func (s *session) playing(key string, at int64) *playing {
	for i := range s.played {
		if s.played[i].key == key {
			return &s.played[i]
		}
	}
	fresh := playing{key: key, began: at}
	if len(s.played) < 2*MaxPlayed {
		s.played = append(s.played, fresh)
		return &s.played[len(s.played)-1]
	}
	oldest := &s.played[0]
	for i := range s.played {
		if s.played[i].rose < oldest.rose {
			oldest = &s.played[i]
		}
	}
	*oldest = fresh
	return oldest
}

// cover returns the time before now that no report of the rendition covers yet. elapsed is what the report covers, in which a
// session played the rendition.
func (c *cell) cover(elapsed time.Duration, now time.Time) time.Duration {
	from := now.Add(-max(elapsed, time.Millisecond)) // 0 where it is not known
	if c.covered.After(from) {
		from = c.covered
	}
	if !from.Before(now) {
		return 0
	}
	c.covered = now
	return now.Sub(from)
}

// copyOf returns what a report says of one copy of the rendition: all viewers of a live stream receive the same bytes, so one
// copy is what they receive on average, for the time in which at least one plays. bytes came since some came before, as segments
// are longer or shorter than the interval of reports. What newcomers get at once would raise the average; so their bytes count
// only where there is no other viewer, or none that is heard, and then those of one.
func (c *cell) copyOf(s *session, f flow, bytes int64, elapsed time.Duration, now time.Time) oneCopy {
	age := time.Duration(s.last - f.began)
	heard := now.Sub(c.covered) <= s.patience()
	played := c.cover(elapsed, now)
	if age < settled && (c.by == s.key || !heard) {
		c.by = s.key
		return oneCopy{first: int64(float64(bytes) * float64(played) / float64(max(elapsed, time.Millisecond)))}
	}
	o := oneCopy{played: played}
	if age >= settled {
		c.by = s.key
		if f.since > 0 {
			o.bytes, o.time = bytes, f.since
		}
	}
	return o
}

// oneCopy sums what reports say of one copy of a rendition.
type oneCopy struct {
	played time.Duration // in which at least one viewer played it, without that of first
	bytes  int64         // that settled viewers received
	time   time.Duration // in which they received them, of all of them together
	first  int64         // bytes of newcomers that were alone
}

// Add returns the sum.
func (o oneCopy) Add(p oneCopy) oneCopy {
	return oneCopy{
		played: o.played + p.played, bytes: addSaturating(o.bytes, p.bytes),
		time: o.time + p.time, first: addSaturating(o.first, p.first),
	}
}

func (o oneCopy) scale(f float64) oneCopy {
	return oneCopy{
		played: time.Duration(float64(o.played) * f), bytes: int64(float64(o.bytes) * f),
		time: time.Duration(float64(o.time) * f), first: int64(float64(o.first) * f),
	}
}

// estimate returns the bytes of one copy.
func (o oneCopy) estimate() int64 {
	if o.time <= 0 {
		return o.first
	}
	return addSaturating(o.first, int64(float64(o.bytes)*float64(o.played)/float64(o.time)))
}

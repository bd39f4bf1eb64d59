package timeline

// Moment is where a stream stands in one second.
type Moment struct {
	// Event numbers the events of a live stream, from 0.
	Event int64
	// Count is the number of complete segments of the event, from sequence 0.
	Count int64
	// Ended is set if no segment of the event will follow.
	Ended bool
	// Gone is set if the media playlists of the event have been removed.
	Gone bool
}

// Moment is where the stream of k stands at the Unix second now. The playlist of an event stays until the next one has a
// segment.
func (k Knobs) Moment(now int64) Moment {
	c := k.Conduct
	if c.EventSeconds == 0 {
		return Moment{Count: k.Count(now), Ended: k.Ended(now)}
	}
	age := now - k.Start
	if age < 0 {
		return Moment{}
	}
	event, second := age/k.eventPeriod(), age%k.eventPeriod()
	if second < k.Segment && event > 0 {
		event, second = event-1, k.eventPeriod()
	}
	ended := c.EventGap > 0 && second >= c.EventSeconds
	return Moment{
		Event: event, Count: min(second, c.EventSeconds) / k.Segment, Ended: ended,
		Gone: ended && c.Gone && second >= c.EventSeconds+c.EventGap/2,
	}
}

// eventPeriod is the number of seconds from the begin of an event to that of the next.
func (k Knobs) eventPeriod() int64 { return k.Conduct.EventSeconds + k.Conduct.EventGap }

// offset is the second of the timeline at which an event begins, so that no two events have the same media.
func (k Knobs) offset(event int64) int64 {
	if k.Conduct.EventSeconds == 0 {
		return 0
	}
	return event * k.eventPeriod()
}

// Exists tells whether the segment or part of r is published at the Unix second now.
func (r Request) Exists(now int64) bool {
	k := r.Knobs
	m := k.Moment(now)
	count := m.Count
	if r.Named {
		switch {
		case r.Event > m.Event:
			return false
		case r.Event < m.Event:
			count = k.Conduct.EventSeconds / k.Segment
		}
	}
	if r.Part > 0 {
		return r.Sequence < count || (r.Sequence == count && !m.Ended && r.Part <= k.partial(now))
	}
	if n := max(k.Conduct.Loop, k.Conduct.Wrap); n > 0 {
		count = min(count, n)
	}
	return r.Sequence < count
}

// partial is the number of parts, of a second each, of the segment that is not complete yet.
func (k Knobs) partial(now int64) int64 {
	age := max(0, now-k.Start)
	if k.Conduct.EventSeconds > 0 {
		age %= k.eventPeriod()
	}
	return age % k.Segment
}

// sequence is the media sequence number whose media the name number of a segment stands for at the moment m.
func (k Knobs) sequence(number int64, m Moment) int64 {
	n := k.Conduct.Wrap
	if n == 0 || number >= m.Count {
		return number
	}
	return number + (m.Count-1-number)/n*n // the newest one of that name
}

// Changes tells whether the bytes of the segments of k depend on the time.
func (k Knobs) Changes() bool {
	c := k.Conduct
	return c.Wrap > 0 || (c.EventSeconds > 0 && !c.NewNames) || c.Watermark || c.Agents
}

package manifest

import "time"

// Bounds of the interval between polls while a segment is due.
const (
	shortestPoll = 100 * time.Millisecond
	longestPoll  = 500 * time.Millisecond
)

// calmSegments is how many segments in a row must have been caught before the
// pacer dares to sleep longer: publication times of an encoder vary in bursts.
const calmSegments = 10

// pacer says when to load next. It learns when segments are published from the
// loads that saw them: a load that finds a new segment right after one that did
// not knows the moment within one poll; a load that finds it straight away only
// knows that it waited too long, and wakes earlier next time.
type pacer struct {
	pace     Pace
	target   time.Duration
	duration time.Duration // expected between this segment and the next
	edgeAt   time.Time     // when the newest segment was seen
	polls    int           // loads since then that found nothing new
	early    int           // intervals to wake before the expected moment
	calm     int           // segments in a row for which early was enough
	known    bool          // the moment of publication is known within a poll
}

// loaded tells the pacer about a load that began at began; p is the state
// after it.
func (c *pacer) loaded(began time.Time, p *Playlist, advanced bool) {
	first := c.edgeAt.IsZero()
	c.target = p.TargetDuration
	if !advanced {
		c.polls++
		return
	}
	c.known = !first && c.polls > 0
	switch {
	case first:
	case c.polls == 0:
		// Up to half of the time between two segments is spent polling.
		c.early, c.calm = min(c.early+2, int(c.duration/2/c.interval())), 0
	default:
		if c.calm++; c.calm >= calmSegments {
			c.early, c.calm = max(0, c.early-1), 0
		}
	}
	c.duration = c.target
	for i := max(0, len(p.Segments)-3); i < len(p.Segments); i++ {
		c.duration = min(c.duration, max(p.Segments[i].Duration, shortestPoll))
	}
	c.edgeAt, c.polls = began, 0
}

// still is how long the playlist has had no new segment.
func (c *pacer) still(now time.Time) time.Duration { return now.Sub(c.edgeAt) }

func (c *pacer) interval() time.Duration {
	return min(max(c.target/10, shortestPoll), longestPoll)
}

// next is the wait between the load that began at began and the next one.
func (c *pacer) next(began time.Time) time.Duration {
	if c.pace == Player {
		if c.polls > 0 {
			return c.target / 2
		}
		return c.target
	}
	interval := c.interval()
	// With an unknown moment of publication the next segment can come at any
	// time up to one duration from now, so polling begins at once.
	if c.known || c.early > 0 {
		due := c.edgeAt.Add(c.duration - time.Duration(1+c.early)*interval)
		if wait := due.Sub(began); wait > interval {
			return wait
		}
	}
	switch overdue := c.still(began) - c.duration; {
	case overdue > 4*c.target:
		return jitter(c.target)
	case overdue > c.target:
		return jitter(c.target / 2)
	}
	return interval
}

// Bounds of the interval between looks at a playlist that has ended.
const (
	firstLook = time.Second
	slowLook  = 5 * time.Second
	lastLook  = 30 * time.Second
	lookShare = 10 // a look after so many parts of the time since the end
)

// afterEnd is the wait between two looks for the next event, at a playlist that
// has ended or is a VOD: a target duration at first, and longer the longer ago
// the end is.
func afterEnd(p *Playlist, since time.Duration) time.Duration {
	if !p.Live {
		return jitter(2 * lastLook)
	}
	return min(max(since/lookShare, min(max(p.TargetDuration, firstLook), slowLook)), lastLook)
}

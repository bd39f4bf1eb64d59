// Package playback is the clock of a viewer without a screen.
package playback

import (
	"sync"
	"time"
)

// Clock is the position of a viewer without a screen. It starts when the first
// segment of every track is buffered, stalls when a track's buffer is empty and
// resumes when that track has a whole segment again, as a browser's media
// element does. It is safe for concurrent use; time is an argument.
type Clock struct {
	mu       sync.Mutex
	asked    time.Time // when the viewer asked to play
	updated  time.Time
	played   time.Duration // media time played since the start
	running  bool
	startup  time.Duration
	started  bool
	stalls   int
	stalled  time.Duration
	end      time.Duration            // of a VOD; 0 if unknown
	buffered map[*Track]time.Duration // media time available per track, on the same clock as played
}

// Track is one rendition whose media playback needs.
type Track struct{ name string }

// Stats are what a viewer measured of its own playback.
type Stats struct {
	Started bool
	Startup time.Duration // from asking to the first picture
	Played  time.Duration // media time
	Stalls  int
	Stalled time.Duration // total
}

// New returns a clock for a viewer that asked to play at now.
func New(now time.Time) *Clock {
	return &Clock{asked: now, updated: now, buffered: make(map[*Track]time.Duration)}
}

// AddTrack registers a rendition that must have media for playback to run.
func (c *Clock) AddTrack(name string) *Track {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &Track{name: name}
	c.buffered[t] = 0
	return t
}

// RemoveTrack ends a track: playback needs no media of it any more.
func (c *Clock) RemoveTrack(t *Track, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	delete(c.buffered, t)
}

// SetBuffered says up to which media time a track can be played.
func (c *Clock) SetBuffered(t *Track, until time.Duration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	if _, ok := c.buffered[t]; !ok {
		return
	}
	c.buffered[t] = until
	c.resume(now)
}

// Position is the media time played at now.
func (c *Clock) Position(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	return c.played
}

// Stats returns the measurements up to now.
func (c *Clock) Stats(now time.Time) Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	return Stats{Started: c.started, Startup: c.startup, Played: c.played, Stalls: c.stalls, Stalled: c.stalled}
}

// advance moves the clock to now, at most to the end of the lowest buffer.
func (c *Clock) advance(now time.Time) {
	elapsed := now.Sub(c.updated)
	if elapsed <= 0 {
		return
	}
	c.updated = now
	if len(c.buffered) == 0 {
		return // not begun, or over
	}
	if !c.running {
		if c.started && !c.atEnd() {
			c.stalled += elapsed
		}
		return
	}
	limit := c.lowestBuffer()
	if c.played+elapsed < limit {
		c.played += elapsed
		return
	}
	over := c.played + elapsed - limit
	c.played = limit
	c.running = false
	if !c.atEnd() {
		c.stalled += over
		c.stalls++
	}
}

func (c *Clock) atEnd() bool { return c.end > 0 && c.played >= c.end }

// resume starts or continues playing if every track has something to play.
func (c *Clock) resume(now time.Time) {
	if c.running || len(c.buffered) == 0 || c.lowestBuffer() <= c.played {
		return
	}
	c.running = true
	if !c.started {
		c.started = true
		c.startup = now.Sub(c.asked)
	}
}

func (c *Clock) lowestBuffer() time.Duration {
	first := true
	var low time.Duration
	for _, b := range c.buffered {
		if first || b < low {
			low, first = b, false
		}
	}
	return low
}

// SetEnd says where a VOD ends; an empty buffer at its end is no stall.
func (c *Clock) SetEnd(end time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = end
}

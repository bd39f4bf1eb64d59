package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// playhead is the place that a viewer plays in one rendition.
type playhead struct {
	clock Clock
	base  time.Duration // presentation time at which playback began
	based bool          // base is set
	next  bool          // an event has ended, and the next one is waited for
	since time.Time     // when the playlist of an event that has just begun was seen; zero if none is waited for
}

// position is the presentation time being played. A viewer starts behind the
// live edge, and jumps if the window has moved past its position. Before it starts, the position lies before the first
// segment, by the time that is left.
func (c *Core) position(now time.Time) time.Duration {
	segs := c.playlist.Segments
	if len(segs) == 0 {
		return 0
	}
	p := c.playhead
	played := p.clock.Position(now)
	if !p.based {
		start := segs[0].Start
		if c.playlist.Live {
			delay := liveDelay(&c.Config, c.playlist, p.begins(c.playlist))
			if wait := p.startsIn(c.playlist, delay, now); wait > 0 {
				return start - wait
			}
			start = liveStart(segs, delay)
			p.clock.SetEnd(0)
		}
		p.base, p.based, p.next, p.since = start-played, true, false, time.Time{}
		c.endsAt(c.playlist)
	}
	position := p.base + played
	if c.playlist.Live && position < segs[0].Start && !c.table.heldAt(position) {
		c.driver.Jumped()
		p.base = segs[0].Start - played
		position = segs[0].Start
	}
	return position
}

// startsIn is how long playback waits until a live playlist that has just begun is as long as the viewer stays behind its
// end, at most three target durations and longestStart. A playlist that does not grow is waited for no longer than that.
func (p *playhead) startsIn(playlist *manifest.Playlist, delay time.Duration, now time.Time) time.Duration {
	if !p.begins(playlist) {
		return 0
	}
	delay = min(delay, behindEdge*playlist.TargetDuration, longestStart)
	wait := delay - (playlist.End() - playlist.Segments[0].Start)
	if wait > 0 && p.since.IsZero() {
		p.since = now
	}
	if p.since.IsZero() {
		return 0
	}
	return min(wait, delay-now.Sub(p.since))
}

// begins tells whether a playlist is that of an event that has just begun. One from which segments were removed is as long
// as it will be.
func (p *playhead) begins(playlist *manifest.Playlist) bool {
	return !playlist.Ended && (p.next || playlist.Growing())
}

// wait ends what is played: to wait for the begin of the next event is no stall.
func (p *playhead) wait(now time.Time) {
	p.based, p.next, p.since = false, true, time.Time{}
	p.clock.SetEnd(max(1, p.clock.Position(now)))
}

// toBePlayed tells whether a segment that left the playlist is still to be played.
func (c *Core) toBePlayed(seg *Segment, now time.Time) bool {
	p := c.playhead
	return p != nil && p.based && seg.Held() && seg.Start+seg.Duration > p.base+p.clock.Position(now)
}

// Buffered tells the clock of a viewer how far this rendition can be played.
func (c *Core) Buffered(now time.Time) {
	if c.playhead == nil || !c.playhead.based {
		return
	}
	c.playhead.clock.SetBuffered(c.playableUntil(c.position(now))-c.playhead.base, now)
}

// playableUntil is how far can be played from a position. Entries of a playlist that repeat an earlier name are no
// segments of their own: they are played from what is held.
func (c *Core) playableUntil(position time.Duration) time.Duration {
	until := position
	var last *Segment
	for _, seg := range c.table.order {
		end := seg.Start + seg.Duration
		if end <= until {
			last = seg
			continue
		}
		// Durations in playlists are rounded: a few milliseconds between segments are no gap.
		const tolerance = 100 * time.Millisecond
		if seg.Start > until+tolerance {
			if !repeated(last, seg) {
				return until
			}
			until = seg.Start
		}
		if !seg.Held() && !seg.Gap {
			return until
		}
		until, last = end, seg
	}
	if last != nil && last.Held() && last.InPlaylist() && last.Sequence < c.playlist.LastEntry() {
		until = max(until, c.playlist.End())
	}
	return until
}

// repeated tells whether all entries between two segments of the playlist repeat earlier ones.
func repeated(a, b *Segment) bool {
	return a != nil && a.Held() && a.InPlaylist() && b.InPlaylist() && manifest.Repeats(a.Segment, b.Segment)
}

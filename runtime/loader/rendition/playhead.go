package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
)

// playhead is the place that a viewer plays in one rendition. The rendition's owner has it.
type playhead struct {
	clock *playback.Clock
	track *playback.Track
	base  time.Duration // presentation time at which playback began
	based bool          // base is set
	next  bool          // an event has ended, and the next one is waited for
	since time.Time     // when the playlist of an event that has just begun was seen; zero if none is waited for
}

// end removes the track: the rendition is not played any more.
func (p *playhead) end(now time.Time) { p.clock.RemoveTrack(p.track, now) }

// position is the presentation time being played. A viewer starts behind the
// live edge, and jumps if the window has moved past its position. Before it starts, the position lies before the first
// segment, by the time that is left.
func (r *Rendition) position(now time.Time) time.Duration {
	segs := r.playlist.Segments
	if len(segs) == 0 {
		return 0
	}
	p := r.playhead
	played := p.clock.Position(now)
	if !p.based {
		start := segs[0].Start
		if r.playlist.Live {
			delay := liveDelay(&r.shared.Settings, r.playlist, p.begins(r.playlist))
			if wait := p.startsIn(r.playlist, delay, now); wait > 0 {
				return start - wait
			}
			start = liveStart(segs, delay)
			p.clock.SetEnd(0)
		}
		p.base, p.based, p.next, p.since = start-played, true, false, time.Time{}
		r.endsAt(r.playlist)
	}
	position := p.base + played
	if r.playlist.Live && position < segs[0].Start && !r.segments.heldAt(position) {
		r.originLog.Warn("playback fell out of the live window, jumping to its start")
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
func (r *Rendition) toBePlayed(seg *segment, now time.Time) bool {
	p := r.playhead
	return p != nil && p.based && seg.held() && seg.Start+seg.Duration > p.base+p.clock.Position(now)
}

// reportBuffered tells the clock how far this rendition can be played.
func (r *Rendition) reportBuffered(now time.Time) {
	if !r.playhead.based {
		return
	}
	r.playhead.clock.SetBuffered(r.playhead.track, r.playableUntil(r.position(now))-r.playhead.base, now)
}

// playableUntil is how far can be played from a position. Entries of a playlist that repeat an earlier name are no
// segments of their own: they are played from what is held.
func (r *Rendition) playableUntil(position time.Duration) time.Duration {
	until := position
	var last *segment
	for _, seg := range r.segments.order {
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
		if !seg.held() && !seg.Gap {
			return until
		}
		until, last = end, seg
	}
	if last != nil && last.held() && last.inPlaylist() && last.Sequence < r.playlist.LastEntry() {
		until = max(until, r.playlist.End())
	}
	return until
}

// repeated tells whether all entries between two segments of the playlist repeat earlier ones.
func repeated(a, b *segment) bool {
	return a != nil && a.held() && a.inPlaylist() && b.inPlaylist() && manifest.Repeats(a.Segment, b.Segment)
}

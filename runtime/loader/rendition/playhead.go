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
}

// end removes the track: the rendition is not played any more.
func (p *playhead) end(now time.Time) { p.clock.RemoveTrack(p.track, now) }

// position is the presentation time being played. A viewer starts behind the
// live edge, and jumps if the window has moved past its position.
func (r *Rendition) position(now time.Time) time.Duration {
	segs := r.playlist.Segments
	if len(segs) == 0 {
		return 0
	}
	p := r.playhead
	played := p.clock.Position(now)
	if !p.based {
		p.based = true
		start := segs[0].Start
		if r.playlist.Live {
			start = liveStart(segs, liveDelay(&r.shared.Settings, r.playlist))
		}
		p.base = start - played
	}
	position := p.base + played
	if r.playlist.Live && position < segs[0].Start && !r.segments.heldAt(position) {
		r.originLog.Warn("playback fell out of the live window, jumping to its start")
		p.base = segs[0].Start - played
		position = segs[0].Start
	}
	return position
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

package sim

import "time"

// player is a viewer's playback of the one rendition.
type player struct {
	// first is the segment that playback begins with, from when the player looks for it, began when it had it; zero: it lacks it.
	first       int
	from, began time.Duration
	// late is by how much playback has stalled since, stalled whether it does now.
	late    time.Duration
	stalled bool
	// sees is the newest segment in its playlist, which it loads once in a segment's time, phase after the publication.
	sees  int
	phase time.Duration
}

// due is when a segment has to be there; ok is false before playback has begun.
func (y *player) due(segment int, of time.Duration) (at time.Duration, ok bool) {
	return y.began + y.late + time.Duration(segment-y.first)*of, y.began > 0
}

// play lets a step of playback pass.
func (w *world) play(p *peer) {
	y := &p.player
	if (w.now+y.phase)%w.cfg.Segment < step {
		y.sees = w.newest
	}
	if y.began == 0 {
		if p.held[y.first] {
			y.began = w.now
			w.figures.starts = append(w.figures.starts, w.now-y.from)
		} else {
			w.leap(p)
		}
		return
	}
	playing := y.first + int((w.now-y.began-y.late)/w.cfg.Segment)
	if p.held[playing] {
		y.stalled = false
		return
	}
	if !y.stalled {
		y.stalled = true
		w.figures.Stalls++
	}
	y.late += step
	w.figures.Stalled += step
	w.leap(p)
}

// leap has a player whose next segment has left the playlist go on at the live edge.
func (w *world) leap(p *peer) {
	y := &p.player
	if next := p.lacks; next > w.newest-entries {
		return
	}
	y.first, y.from, y.began, y.late, y.stalled = max(0, w.newest-backlog+1), w.now, 0, 0, false
	p.lacks = y.first
	w.figures.Leaps++
	for _, t := range w.moving { // what it does not play any more, it does not fetch any more
		if t.to == p && t.segment < y.first {
			t.dropped = true
		}
	}
}

// urgent reports whether a viewer goes to the origin for a segment that no neighbour holds.
func (w *world) urgent(p *peer, segment int) bool {
	y := &p.player
	if at, ok := y.due(segment, w.cfg.Segment); ok {
		return at-w.now <= window
	}
	return segment == y.first && w.now-y.from >= firstPatience
}

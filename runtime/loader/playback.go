package loader

import (
	"sync"
	"time"
)

// Playback is the clock of a viewer without a screen: it starts when the first
// segment of every track is there, stops when a track runs dry and goes on when
// that track has a whole segment again, as a browser's media element does. It
// is safe for concurrent use; time is an argument.
type Playback struct {
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
	buffered map[*track]time.Duration // media time available per track, on the same clock as played
}

type track struct{ name string }

// PlaybackStats are what a viewer measured of its own playback.
type PlaybackStats struct {
	Started bool
	Startup time.Duration // from asking to the first picture
	Played  time.Duration // media time
	Stalls  int
	Stalled time.Duration // total
}

// NewPlayback returns a playback that was asked for at now.
func NewPlayback(now time.Time) *Playback {
	return &Playback{asked: now, updated: now, buffered: make(map[*track]time.Duration)}
}

// addTrack registers one rendition that must have bytes for playback to run.
func (p *Playback) addTrack(name string) *track {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &track{name: name}
	p.buffered[t] = 0
	return t
}

func (p *Playback) removeTrack(t *track, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(now)
	delete(p.buffered, t)
}

// setBuffered says up to which media time a track can be played.
func (p *Playback) setBuffered(t *track, until time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(now)
	if _, ok := p.buffered[t]; !ok {
		return
	}
	p.buffered[t] = until
	p.resume(now)
}

// Position is the media time played at now.
func (p *Playback) Position(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(now)
	return p.played
}

// Stats returns the measurements up to now.
func (p *Playback) Stats(now time.Time) PlaybackStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(now)
	return PlaybackStats{Started: p.started, Startup: p.startup, Played: p.played, Stalls: p.stalls, Stalled: p.stalled}
}

// advance moves the clock to now, at most to the end of the driest track.
func (p *Playback) advance(now time.Time) {
	elapsed := now.Sub(p.updated)
	if elapsed <= 0 {
		return
	}
	p.updated = now
	if len(p.buffered) == 0 {
		return // not begun, or over
	}
	if !p.running {
		if p.started && !p.atEnd() {
			p.stalled += elapsed
		}
		return
	}
	limit := p.driest()
	if p.played+elapsed < limit {
		p.played += elapsed
		return
	}
	over := p.played + elapsed - limit
	p.played = limit
	p.running = false
	if !p.atEnd() {
		p.stalled += over
		p.stalls++
	}
}

func (p *Playback) atEnd() bool { return p.end > 0 && p.played >= p.end }

// resume starts or continues playing if every track has something to play.
func (p *Playback) resume(now time.Time) {
	if p.running || len(p.buffered) == 0 || p.driest() <= p.played {
		return
	}
	p.running = true
	if !p.started {
		p.started = true
		p.startup = now.Sub(p.asked)
	}
}

func (p *Playback) driest() time.Duration {
	first := true
	var low time.Duration
	for _, b := range p.buffered {
		if first || b < low {
			low, first = b, false
		}
	}
	return low
}

// setEnd says where a VOD ends; running dry there is no stall.
func (p *Playback) setEnd(end time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = end
}

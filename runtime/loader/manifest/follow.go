package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Pace says how eagerly Follow reloads a live playlist.
type Pace int

const (
	// Player reloads as RFC 8216 §6.3.4 asks players to: after a target
	// duration, or half of one if nothing has changed.
	Player Pace = iota
	// Ahead reloads around the expected publication, a tenth of the target
	// duration apart (100 to 500 ms), so that a new segment is seen before any
	// viewer asks for it.
	Ahead
)

// Back-off after a failure: doubled from the first to the last value, each wait
// drawn at random between its half and its whole.
const (
	firstBackoff = 250 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// A live playlist that has stood still for this many target durations is
// reported as not advancing.
const standstill = 3

// maxTimeline is how far a timeline may grow: playlists that jump ahead repeatedly reach it.
const maxTimeline = 50 * 365 * 24 * time.Hour

// restShare is how many times as long as reading a playlist takes the reader rests at least, so that a long one that is
// loaded often cannot keep a processor busy.
const restShare = 9

// logEvery bounds what a flapping origin writes into the log: one failure and
// one recovery for each rendition. The callback gets all of them.
const logEvery = 30 * time.Second

// Follow calls on for every new state of r's media playlist and for every
// failure (nil playlist, *Error), always from the calling goroutine. After a
// failure it retries by itself, and the next success calls on even if nothing
// has changed. It returns nil once the playlist has ended (at once for VOD), or
// the context's error. A live playlist never goes back to lower sequence
// numbers, unless the origin sticks to them for so long that the stream must
// have begun anew (Playlist.Restarted).
func (s *Source) Follow(ctx context.Context, r Rendition, pace Pace, on func(*Playlist, error)) error {
	return s.FollowWith(ctx, r, FollowOptions{Pace: pace}, on)
}

// FollowOptions say how FollowWith goes about it.
type FollowOptions struct {
	// Pace says how eagerly it reloads by itself.
	Pace Pace
	// Reload makes it load at once; what was asked for before that load began
	// needs no other. It should have room for one.
	Reload <-chan struct{}
	// Loading is called when a load begins.
	Loading func(began time.Time)
	// Loaded is called behind every load, also one that changed nothing, with
	// the time at which it began and why it failed.
	Loaded func(began time.Time, err error)
	// EveryText makes any change of the playlist's text a new state, for those
	// who hand the text on.
	EveryText bool
}

// FollowWith is Follow with options.
func (s *Source) FollowWith(ctx context.Context, r Rendition, o FollowOptions, on func(*Playlist, error)) error {
	f := &follower{
		source: s, rendition: r, on: on, numbering: NewNumbering(),
		clock: pacer{pace: o.Pace}, everyText: o.EveryText,
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-o.Reload:
		}
		select {
		case <-o.Reload: // this load answers it
		default:
		}
		began := time.Now()
		if o.Loading != nil {
			o.Loading(began)
		}
		ended, err := f.step(ctx, began)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := max(f.clock.next(began), restShare*f.cost)
		if err != nil {
			wait = f.failed(err)
		}
		if o.Loaded != nil {
			o.Loaded(began, err)
		}
		if ended {
			return nil
		}
		timer.Reset(max(0, wait-time.Since(began)))
	}
}

type follower struct {
	source     *Source
	rendition  Rendition
	on         func(*Playlist, error)
	numbering  *Numbering
	validators validators
	clock      pacer
	everyText  bool

	current    *Playlist // the state handed out last
	failures   int       // in a row
	logged     bool      // this row of failures is in the log
	loggedAt   time.Time // of the last failure in the log
	standing   bool      // not advancing has been reported
	regression regression
	cost       time.Duration // of reading the last one
}

// regression watches a playlist that is behind what was seen before.
type regression struct {
	since     time.Time
	firstEdge int64
	active    bool
}

// step loads once and hands out what came of it.
func (f *follower) step(ctx context.Context, began time.Time) (ended bool, err error) {
	p, answered, err := f.source.loadMedia(ctx, f.rendition, f.validators)
	if err != nil {
		return false, err
	}
	if p != nil {
		if f.cost = p.cost; !f.everyText {
			p.Text = nil // it is not used
		}
		if err := f.backwards(p, began); err != nil {
			return false, err
		}
		f.validators = answered
	}
	recovered := f.failures > 0
	if recovered {
		if f.logged {
			f.source.cfg.Logger.Info("playlist is usable again", "rendition", f.rendition.Name, "failures", f.failures)
		}
		f.failures, f.logged = 0, false
	}
	advanced, changed := f.accept(p)
	f.clock.loaded(began, f.current, advanced)
	if changed || recovered {
		f.on(f.current, nil)
	}
	if f.current.Ended {
		return true, nil
	}
	if advanced {
		f.standing = false
	} else if !f.standing && f.clock.still(began) > standstill*f.current.TargetDuration {
		// Said once: the playlist may well go on later.
		f.standing = true
		f.on(nil, fail(ReasonNotAdvancing, f.rendition.URI, fmt.Errorf("no new segment for %v", f.clock.still(began).Round(time.Second))))
	}
	return false, nil
}

// accept makes p the current state if it differs from it.
func (f *follower) accept(p *Playlist) (advanced, changed bool) {
	last := f.current
	if p == nil {
		return false, false
	}
	if last == nil {
		f.numbering.Apply(p)
		f.current = p
		return true, true
	}
	p.Live = last.Live
	if !p.Restarted {
		p.shift(last)
	}
	advanced = p.LastSequence() > last.LastSequence() || p.Restarted
	changed = advanced || p.MediaSequence != last.MediaSequence || p.Ended != last.Ended ||
		p.Entries != last.Entries || p.TargetDuration != last.TargetDuration || p.LowLatencyParts != last.LowLatencyParts ||
		p.Redirected != last.Redirected || (f.everyText && !bytes.Equal(p.Text, last.Text))
	if changed {
		f.numbering.Apply(p)
		f.current = p
	}
	return advanced, changed
}

// backwards refuses a state older than the current one, until it is clear that
// the stream has begun anew: the lower numbers have kept coming, and growing,
// for longer than a lagging edge of the CDN needs to catch up.
func (f *follower) backwards(p *Playlist, now time.Time) error {
	last := f.current
	if last == nil || (p.LastSequence() >= last.LastSequence() && p.MediaSequence >= last.MediaSequence) {
		f.regression = regression{}
		return nil
	}
	if !f.regression.active || p.LastSequence() < f.regression.firstEdge {
		f.regression = regression{since: now, firstEdge: p.LastSequence(), active: true}
	}
	patience := max(standstill*p.TargetDuration, min(last.Window, 2*time.Minute))
	if now.Sub(f.regression.since) > patience && p.LastSequence() > f.regression.firstEdge {
		f.source.cfg.Logger.Warn("stream restarted", "rendition", f.rendition.Name,
			"from", last.LastSequence(), "to", p.LastSequence())
		f.regression = regression{}
		f.numbering = NewNumbering()
		p.Restarted = true
		return nil
	}
	return fail(ReasonWentBackwards, f.rendition.URI, fmt.Errorf("segments %d to %d after %d to %d",
		p.MediaSequence, p.LastSequence(), last.MediaSequence, last.LastSequence()))
}

// failed reports a failure and says how long to wait.
func (f *follower) failed(err error) time.Duration {
	f.failures++
	if f.failures == 1 && time.Since(f.loggedAt) > logEvery {
		f.logged, f.loggedAt = true, time.Now()
		f.source.cfg.Logger.Warn("playlist is unusable", "rendition", f.rendition.Name, "error", err)
	}
	var e *Error
	if !errors.As(err, &e) {
		err = fail(ReasonUnreachable, f.rendition.URI, err)
	}
	f.on(nil, err)
	wait := lastBackoff
	if f.failures < 6 {
		wait = min(lastBackoff, firstBackoff<<(f.failures-1))
	}
	if f.current != nil {
		// While segments are being published, none should pass unseen.
		wait = min(wait, f.current.TargetDuration)
	}
	return jitter(wait)
}

// jitter draws between a half and the whole of d, so that many followers of one
// origin do not return together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) // #nosec G404 -- spreads load, guards nothing
}

// shift moves p's timeline so that it continues that of last: by a common
// sequence number, else behind its end.
func (p *Playlist) shift(last *Playlist) {
	if len(p.Segments) == 0 || len(last.Segments) == 0 {
		return
	}
	first := p.Segments[0]
	end := last.Segments[len(last.Segments)-1]
	move := end.Start + end.Duration - first.Start
	for i := range last.Segments {
		if last.Segments[i].Sequence == first.Sequence {
			move = last.Segments[i].Start - first.Start
			break
		}
	}
	if gap := first.Sequence - end.Sequence - 1; gap > 0 && gap < maxEntries {
		move += time.Duration(gap) * p.TargetDuration
	}
	if move > maxTimeline {
		p.Restarted = true // before the clock runs over
		return
	}
	for i := range p.Segments {
		p.Segments[i].Start += move
	}
}

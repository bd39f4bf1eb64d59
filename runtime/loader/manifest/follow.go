package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
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
// numbers, unless a new event has begun under its URL (Playlist.Restarted). If
// the origin refuses the playlist's URL, the one that the manifest names by then
// is followed (Renew).
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
	// Refused makes it load at once, because segments of the playlist are
	// refused; with true it reads the manifest first, for another URL of the
	// playlist.
	Refused <-chan bool
	// Loading is called when a load begins.
	Loading func(began time.Time)
	// Loaded is called behind every load, also one that changed nothing, with
	// the time at which it began and why it failed.
	Loaded func(began time.Time, err error)
	// EveryText makes any change of the playlist's text a new state, for those
	// who hand the text on.
	EveryText bool
	// LookOn goes on after the end of the playlist, for the next event under its
	// URL.
	LookOn bool
	// Expect returns the time until which a new event is awaited that others have
	// seen begin; zero: none is. Meanwhile the first state that does not follow
	// from the last one is the new event's. What is there at that time is taken
	// for it.
	Expect func() time.Time
}

// FollowWith is Follow with options.
func (s *Source) FollowWith(ctx context.Context, r Rendition, o FollowOptions, on func(*Playlist, error)) error {
	f := &follower{
		source: s, rendition: r, on: on, numbering: NewNumbering(),
		clock: pacer{pace: o.Pace}, everyText: o.EveryText, expect: o.Expect,
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		f.refused = false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-o.Reload:
		case manifestToo := <-o.Refused:
			f.refused = true
			if manifestToo {
				f.renew(ctx)
			}
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
		if due, ok := f.dueIn(); ok {
			wait = max(due, shortestDue, restShare*f.cost)
		}
		if err != nil {
			wait = f.failed(err)
		}
		if o.Loaded != nil {
			o.Loaded(began, err)
		}
		if ended {
			if !o.LookOn {
				return nil
			}
			if look := afterEnd(f.current, f.clock.still(began)); err == nil {
				wait = max(look, restShare*f.cost)
			} else if ReasonOf(err) != ReasonWentBackwards {
				wait = max(look, wait)
			}
		}
		timer.Reset(max(0, wait-time.Since(began)))
	}
}

// shortestDue is the least pause before a segment whose time the MPD tells. The follower comes later than that by dueMargin,
// a part of the target duration, and longestMargin at most: packagers are late now and then, and a CDN may keep a 404.
const (
	shortestDue   = 20 * time.Millisecond
	dueMargin     = 40
	longestMargin = 200 * time.Millisecond
)

// dueIn is in how long the next segment is there, if the MPD and the clock tell and that is still to come.
func (f *follower) dueIn() (time.Duration, bool) {
	if f.current == nil || f.clock.pace != Ahead || f.current.due.IsZero() || f.current.Ended {
		return 0, false
	}
	in := f.source.until(f.current.due) + min(max(f.current.TargetDuration/dueMargin, shortestDue), longestMargin)
	return min(in, longestFresh), in > 0
}

type follower struct {
	source     *Source
	rendition  Rendition
	on         func(*Playlist, error)
	numbering  *Numbering
	validators validators
	doubt      doubt
	clock      pacer
	everyText  bool
	expect     func() time.Time

	current    *Playlist // the state handed out last
	failures   int       // in a row
	logged     bool      // this row of failures is in the log
	loggedAt   time.Time // of the last failure in the log
	standing   bool      // not advancing has been reported
	refused    bool      // segments are refused: other URLs of them are wanted
	regression regression
	candidate  *Playlist     // another film where one had ended, seen once
	fickle     bool          // the names of a film are others at each load
	cost       time.Duration // of reading the last one
}

// step loads once and hands out what came of it.
func (f *follower) step(ctx context.Context, began time.Time) (ended bool, err error) {
	ended = f.current != nil && f.current.Ended
	if f.expecting() || f.refused {
		f.validators = validators{} // the whole playlist is wanted
	}
	known := f.validators
	if f.current != nil {
		known.whole = f.doubt.whole(f.clock.still(began), f.current.TargetDuration)
	}
	p, answered, err := f.source.loadMedia(ctx, f.rendition, known)
	if Refused(err) && f.renew(ctx) {
		known = validators{}
		p, answered, err = f.source.loadMedia(ctx, f.rendition, known)
	}
	if err != nil {
		return ended, err
	}
	sameTag := p != nil && answered.etag != "" && answered.etag == f.validators.etag
	denied := p == nil
	if p != nil {
		if f.cost = p.cost; !f.everyText {
			p.Text = nil // it is not used
		}
		use, err := f.follows(p, began)
		if err != nil {
			return ended, err
		}
		if f.validators = answered; !use {
			p = nil
		}
	}
	recovered := f.failures > 0
	if recovered {
		if f.logged {
			f.source.cfg.Logger.Info("playlist is usable again", "rendition", f.rendition.Name, "failures", f.failures)
		}
		f.failures, f.logged = 0, false
	}
	if p != nil && p.Restarted {
		f.began()
	}
	justEnded := p != nil && p.Ended && f.current != nil && !f.current.Ended
	still := f.clock.still(began)
	advanced, changed := f.accept(p)
	f.judge(known.whole, denied, sameTag, advanced || justEnded, still)
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

// renew takes the URL that the manifest names by now; false if it is the same.
func (f *follower) renew(ctx context.Context) bool {
	r, err := f.source.Renew(ctx, f.rendition)
	if err != nil {
		return false
	}
	f.source.cfg.Logger.Info("playlist has another URL", "rendition", f.rendition.Name, "url", withoutSecrets(r.URI))
	f.rendition, f.validators, f.doubt = r, validators{}, doubt{}
	return true
}

// judge doubts what the origin says of its playlist by validators.
func (f *follower) judge(whole, denied, sameTag, news bool, still time.Duration) {
	before := f.doubt.distrust
	if !denied || whole {
		f.doubt.loaded(whole, news, sameTag, f.current.Live && !f.current.Ended, still)
	}
	if denied {
		f.doubt.unchanged()
	}
	if reason := f.doubt.distrust; reason != before {
		f.source.metrics.tags.WithLabelValues(reason).Inc()
		f.source.cfg.Logger.Warn("the origin's ETag or Last-Modified does not tell when the playlist changes; from now on it is loaded as a whole",
			"rendition", f.rendition.Name, "reason", reason)
	}
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
	if !p.Restarted {
		p.Live = last.Live
		if !p.ByTime { // else times are those of the presentation
			p.shift(last)
		}
	}
	advanced = p.LastSequence() > last.LastSequence() || p.Restarted
	changed = advanced || p.MediaSequence != last.MediaSequence || p.Ended != last.Ended ||
		p.Entries != last.Entries || p.TargetDuration != last.TargetDuration || p.LowLatencyParts != last.LowLatencyParts ||
		p.Redirected != last.Redirected || f.refused || (f.everyText && !bytes.Equal(p.Text, last.Text))
	if changed {
		f.numbering.Apply(p)
		f.current = p
	}
	return advanced, changed
}

// follows tells whether a state is to be used as the next one. It refuses one that
// is older than the current, until it is clear that a new event has begun.
func (f *follower) follows(p *Playlist, now time.Time) (use bool, err error) {
	last := f.current
	if last == nil {
		p.Restarted = f.expecting()
		return true, nil
	}
	kind := relate(last, p)
	if f.expecting() {
		if kind == onward && now.Before(f.expect()) {
			f.regression = regression{}
			return false, nil // the last event's
		}
		p.Restarted = true
		return true, nil
	}
	switch {
	case kind == onward:
		f.regression, f.candidate = regression{}, nil
		return true, nil
	case kind == moved && !f.refused, kind == other && f.fickle && last.Ended && p.Ended:
		// The URLs in use are as good, and what is held has their names.
		f.regression = regression{}
		return false, nil
	case kind == moved:
		return true, nil
	case kind == other && last.Ended && p.Ended:
		return f.anotherFilm(p)
	}
	begun, suspect := f.regression.judge(last, p, kind, f.clock.still(now), now)
	p.Restarted = begun
	if !begun {
		return false, behindError(f.rendition, p, last, suspect)
	}
	return true, nil
}

// anotherFilm takes a film in the place of one that had ended when it is seen twice: the names of some are others at
// each load.
func (f *follower) anotherFilm(p *Playlist) (use bool, err error) {
	before := f.candidate
	f.candidate = p
	switch {
	case before == nil:
		return false, behindError(f.rendition, p, f.current, true)
	case relate(before, p) == onward:
		f.candidate, p.Restarted = nil, true
		return true, nil
	}
	f.fickle = true
	f.source.cfg.Logger.Warn("the segments have other names each time that the playlist is loaded; a new event would not be noticed", "rendition", f.rendition.Name)
	return false, nil
}

// expecting tells whether a new event is awaited that others have seen.
func (f *follower) expecting() bool { return f.expect != nil && !f.expect().IsZero() }

// began forgets what belongs to the last event.
func (f *follower) began() {
	f.source.cfg.Logger.Info("a new event has begun", "rendition", f.rendition.Name)
	f.source.renewals.events.Inc()
	f.regression, f.candidate, f.standing = regression{}, nil, false
	f.numbering = NewNumbering()
	f.clock = pacer{pace: f.clock.pace}
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
	wait := backoff.Doubled(firstBackoff, lastBackoff, f.failures-1)
	if f.current != nil {
		// While segments are being published, none should pass unseen.
		wait = min(wait, f.current.TargetDuration)
		if !f.regression.since.IsZero() {
			wait = min(wait, max(f.current.TargetDuration/4, longestPoll)) // peers wait for what it turns out to be
		}
	}
	return max(jitter(wait), RetryAfter(err))
}

// jitter draws between a half and the whole of d, so that many followers of one
// origin do not return together.
func jitter(d time.Duration) time.Duration {
	return backoff.Spread(d, rand.Float64()) // #nosec G404 -- spreads load, guards nothing
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

package loader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// ErrUnknownRendition says that the presentation has no rendition with the
// URI.
var ErrUnknownRendition = errors.New("the presentation has no such rendition")

// demandLimits are the bounds of an engine with Config.OnDemand when
// Config.Limits is zero: more transfers at a time than DefaultLimits, for players
// at several positions.
var demandLimits = func(l schedule.Limits) schedule.Limits {
	l.HTTPSlots, l.PeerSlots = 4, 6
	return l
}(DefaultLimits)

// Defaults of an engine with Config.OnDemand.
const (
	DefaultPatience  = 1500 * time.Millisecond
	DefaultWaitLimit = 10 * time.Second
)

// slot is a rendition that is awake while players watch it.
type slot struct {
	e    *Engine
	info manifest.Rendition

	mu         sync.Mutex
	watched    int
	hadNoPeers bool                 // no peer was connected when it was awake last
	r          *rendition.Rendition // nil while it sleeps
	ended      chan struct{}
}

// onDemand is the additional state of an engine with Config.OnDemand.
type onDemand struct {
	reload chan struct{} // held by the caller that reloads the presentation

	// Guarded by Engine.mu.
	slots        map[string]*slot // by URI
	presentation *manifest.Presentation
	loadedAt     time.Time
	ctx          context.Context //nolint:containedctx // the engine's life: renditions are woken inside it
	stopped      bool
}

// learn takes a presentation; one caller at a time. Renditions that are watched
// stay, even if the presentation does not name them.
func (e *Engine) learn(p *manifest.Presentation) {
	d := e.demand
	e.mu.Lock()
	old := d.slots
	e.mu.Unlock()
	slots := make(map[string]*slot, len(p.Renditions))
	for _, info := range e.cfg.Select(p.SharedBy(e.cfg.Generations)) {
		if info.URI == "" || slots[info.URI] != nil {
			continue
		}
		s := old[info.URI]
		if s == nil {
			s = renamedSlot(old, p, info)
		}
		if s == nil {
			s = &slot{e: e, info: info}
		}
		slots[info.URI] = s
	}
	for uri, s := range old {
		if slots[uri] == nil && s.isWatched() {
			slots[uri] = s
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	d.presentation, d.loadedAt, d.slots = p, time.Now(), slots
}

// renamedSlot finds the slot, with players, of a rendition that has another URL by now: there is one rendition for each
// identity.
func renamedSlot(old map[string]*slot, p *manifest.Presentation, info manifest.Rendition) *slot {
	for _, s := range old {
		if found, ok := p.Match(s.info); ok && found.URI == info.URI && s.info.URI != info.URI && s.isWatched() {
			return s
		}
	}
	return nil
}

// runOnDemand is Run of an engine with Config.OnDemand.
func (e *Engine) runOnDemand(ctx context.Context, p *manifest.Presentation) error {
	e.mu.Lock()
	d := e.demand
	d.ctx = ctx
	e.mu.Unlock()
	e.learn(p)
	close(e.loaded)
	<-ctx.Done()
	e.mu.Lock()
	d.stopped = true
	slots := d.slots
	e.mu.Unlock()
	var ending sync.WaitGroup
	for _, s := range slots {
		ending.Go(s.end)
	}
	ending.Wait()
	return nil
}

// Presentation returns the presentation as it was at most maxAge ago; if it
// cannot be reloaded, the last one. It fails only before the first was loaded.
func (e *Engine) Presentation(ctx context.Context, maxAge time.Duration) (*manifest.Presentation, error) {
	if err := e.awaitLoaded(ctx); err != nil {
		return nil, err
	}
	d := e.demand
	select {
	case d.reload <- struct{}{}:
		defer func() { <-d.reload }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	e.mu.Lock()
	p, age := d.presentation, time.Since(d.loadedAt)
	e.mu.Unlock()
	if age <= maxAge {
		return p, nil
	}
	fresh, err := e.cfg.Source.Refresh(ctx)
	if err != nil {
		e.log.Warn("reloading manifest failed, using the last one", "error", err)
		return p, nil
	}
	e.learn(fresh)
	return fresh, nil
}

// Watch declares a player's interest in the rendition with the URI and wakes it
// if it sleeps: its playlist is followed, its swarms are joined.
func (e *Engine) Watch(ctx context.Context, uri string) (*rendition.Watch, error) {
	if err := e.awaitLoaded(ctx); err != nil {
		return nil, err
	}
	e.mu.Lock()
	s, life, stopped := e.demand.slots[uri], e.demand.ctx, e.demand.stopped
	e.mu.Unlock()
	switch {
	case stopped:
		return nil, ondemand.ErrStopped
	case s == nil:
		return nil, ErrUnknownRendition
	}
	return s.enter(life)
}

var errNotOnDemand = errors.New("the engine plays by itself; set config.onDemand")

func (e *Engine) awaitLoaded(ctx context.Context) error {
	if e.demand == nil {
		return errNotOnDemand
	}
	select {
	case <-e.loaded:
		return nil
	case <-ctx.Done():
		e.mu.Lock()
		err := e.lastError
		e.mu.Unlock()
		if err != nil {
			return fmt.Errorf("loading manifest: %w", err)
		}
		return context.Cause(ctx)
	}
}

func (s *slot) isWatched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched > 0
}

// enter counts one more player and wakes the rendition for the first.
func (s *slot) enter(life context.Context) (*rendition.Watch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if life.Err() != nil {
		return nil, ondemand.ErrStopped
	}
	if s.r == nil {
		if !s.e.mayWake() {
			return nil, ErrTooManyRenditions
		}
		r := rendition.New(life, &s.e.shared, s.info)
		if s.hadNoPeers {
			r.HadNoPeers()
		}
		if err := s.e.wake(life, r); err != nil {
			r.Leave()
			s.e.unclaim(r.Claimed())
			return nil, fmt.Errorf("joining swarm of %s: %w", s.info.Name, err)
		}
		s.r, s.ended = r, make(chan struct{})
		ended := s.ended
		s.e.work.Go(func() {
			defer close(ended)
			r.Run()
		})
		r.Log().Info("rendition is watched")
	}
	s.watched++
	return s.r.Watch(s.leave), nil
}

// leave counts one player less. Swarms are left in the background: closing their
// connections takes a moment.
func (s *slot) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched--; s.watched > 0 || s.r == nil {
		return
	}
	s.e.work.Go(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.watched == 0 {
			s.sleep()
		}
	})
}

// end puts the rendition to sleep, watched or not.
func (s *slot) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sleep()
}

// sleep ends the rendition; s is locked.
func (s *slot) sleep() {
	if s.r == nil {
		return
	}
	r := s.r
	s.e.swarms.joining.Lock()
	r.Leave()
	s.e.asleep(r)
	s.e.swarms.gone(r)
	s.e.swarms.joining.Unlock()
	s.e.shareAgain()
	<-s.ended
	s.r, s.hadNoPeers = nil, !r.MetPeers()
	r.Log().Info("rendition sleeps")
}

// wake joins the swarms of a rendition that is woken.
func (e *Engine) wake(life context.Context, r *rendition.Rendition) error {
	e.swarms.joining.Lock()
	defer e.swarms.joining.Unlock()
	if err := r.Join(life, e.SwarmID()); err != nil {
		return err
	}
	e.awake(r)
	return nil
}

// mayWake tells whether one more rendition may run.
func (e *Engine) mayWake() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.renditions) < MaxRenditions
}

// awake and asleep keep the list of renditions that are running.
func (e *Engine) awake(r *rendition.Rendition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renditions = append(e.renditions, r)
}

func (e *Engine) asleep(r *rendition.Rendition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := make([]*rendition.Rendition, 0, len(e.renditions))
	for _, other := range e.renditions {
		if other != r {
			kept = append(kept, other)
		}
	}
	e.renditions = kept
	for _, hash := range r.Claimed() {
		delete(e.claimed, hash)
	}
}

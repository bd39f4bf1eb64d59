package loader

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
)

// Times between loads of the manifest. Encoders add renditions soon after an event has begun, so the manifest is loaded
// often in its first minute.
const (
	firstReload = 3 * time.Second
	lastReload  = time.Minute
	manyReloads = 20
	reloadPause = 2 * time.Second // at least, whatever asks for one
	// namedGrace is how long a rendition stays that the manifest does not name any more: some players go on with it, and
	// an origin may leave it out by mistake.
	namedGrace = 90 * time.Second
)

// roster is what an engine that does not play on demand knows of its renditions. Its loop has it, apart from ask.
type roster struct {
	ask     chan struct{} // for the manifest to be loaded soon
	running *sync.WaitGroup
	unnamed map[*rendition.Rendition]time.Time // since when the manifest does not name them
}

func newRoster() *roster {
	return &roster{ask: make(chan struct{}, 1), running: &sync.WaitGroup{}, unnamed: make(map[*rendition.Rendition]time.Time)}
}

// reread asks for the manifest to be loaded soon.
func (e *Engine) reread() {
	select {
	case e.roster.ask <- struct{}{}:
	default:
	}
}

// keepRenditions loads the manifest now and then, and follows what it names. A viewer keeps what it plays, and looks only
// when that is in trouble.
func (e *Engine) keepRenditions(ctx context.Context) {
	pause, rest := firstReload, time.Duration(0)
	loaded := time.Now()
	for n := 1; ; n++ {
		timer := time.NewTimer(max(rest, pause*9/10+rand.N(pause/5))) // #nosec G404 -- spreads load, guards nothing
		asked := false
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-e.roster.ask:
			asked = sleep(ctx, max(rest, reloadPause)-time.Since(loaded))
		}
		timer.Stop()
		if ctx.Err() != nil || e.draining() {
			return
		}
		switch {
		case asked:
			pause, n = firstReload, 0
		case n >= manyReloads:
			pause = min(2*pause, lastReload)
		}
		if e.cfg.Role != RoleSeeder && !asked && !e.inTrouble() {
			continue
		}
		p, err := e.cfg.Source.Refresh(ctx)
		if err == nil {
			e.update(ctx, p, time.Now())
		} else if ctx.Err() == nil {
			e.log.Debug("reloading manifest failed", "error", err) // playlists show whether that matters
		}
		loaded, rest = time.Now(), manifest.RetryAfter(err)
	}
}

// inTrouble tells whether the playlist of a rendition cannot be refreshed.
func (e *Engine) inTrouble() bool {
	return slices.ContainsFunc(e.Status().Renditions, func(r rendition.Status) bool { return r.Error != "" })
}

// update joins renditions that the manifest names newly, and leaves those that it has not named for a while.
func (e *Engine) update(ctx context.Context, p *manifest.Presentation, now time.Time) {
	wanted := e.bounded(e.cfg.Select(p.SharedBy(e.cfg.Generations)))
	e.mu.Lock()
	running := slices.Clone(e.renditions)
	e.mu.Unlock()
	found := make(map[string]bool, len(running)) // names in wanted
	selected := &manifest.Presentation{Renditions: wanted}
	for _, r := range running {
		info, ok := selected.Match(r.Info())
		if e.cfg.Role != RoleSeeder && !ok {
			info, ok = p.Match(r.Info()) // what is played need not be the first any more
		}
		if !ok {
			if since, known := e.roster.unnamed[r]; !known {
				e.roster.unnamed[r] = now
			} else if now.Sub(since) >= namedGrace {
				e.dismiss(r)
			}
			continue
		}
		delete(e.roster.unnamed, r)
		found[info.Name] = true
		if r.Moved(info.Stream) {
			e.rejoin(ctx, r)
		}
	}
	e.joinFreed(ctx)
	for _, info := range wanted {
		if found[info.Name] || !e.admits(info.Type, len(wanted)) {
			continue
		}
		e.log.Info("the manifest names another rendition", "rendition", info.Name)
		if err := e.add(ctx, info); err != nil && ctx.Err() == nil {
			e.log.Error("joining swarms failed", "rendition", info.Name, "error", err)
		}
	}
}

// admits tells whether one more rendition of a type may run. A viewer plays as many as it selected, and takes another one
// only in the place of those that are not named any more.
func (e *Engine) admits(kind identity.StreamType, selected int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.renditions) >= MaxRenditions {
		return false
	}
	if e.cfg.Role == RoleSeeder {
		return true
	}
	named := 0
	for _, r := range e.renditions {
		if _, unnamed := e.roster.unnamed[r]; unnamed {
			continue
		}
		if named++; r.Info().Type == kind {
			return false
		}
	}
	return named < selected
}

// add runs one more rendition.
func (e *Engine) add(ctx context.Context, info manifest.Rendition) error {
	r := rendition.New(ctx, &e.shared, info)
	e.swarms.joining.Lock()
	err := r.Join(ctx, e.SwarmID())
	if err == nil {
		e.awake(r)
	}
	e.swarms.joining.Unlock()
	if err != nil {
		r.Leave()
		e.unclaim(r.Claimed())
		return err
	}
	e.roster.running.Go(r.Run)
	return nil
}

// dismiss ends a rendition that the manifest does not name any more.
func (e *Engine) dismiss(r *rendition.Rendition) {
	r.Log().Info("the manifest does not name the rendition any more, leaving it")
	delete(e.roster.unnamed, r)
	e.swarms.joining.Lock()
	defer e.swarms.joining.Unlock()
	r.Retire()
	e.asleep(r)
	e.swarms.gone(r)
}

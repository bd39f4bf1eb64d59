package loader

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Times of a change of events.
const (
	// expectWithin is how long a playlist is given to show an event that the tracker has seen begin: an edge of the CDN
	// may lag.
	expectWithin = 10 * time.Second
	// nameWithin is how long a tracker is given to name the swarm of an event that a rendition has seen begin.
	nameWithin = 10 * time.Second
	// nameAgain is how often it is asked meanwhile.
	nameAgain = time.Second
)

// swarmState is which swarms an engine is in. The engine's manager has it, apart from what is guarded by mu.
type swarmState struct {
	wake chan struct{} // something below mu has changed

	mu       sync.Mutex
	id       string                 // from which the swarms are made; empty until it is known
	told     bool                   // a tracker has named it
	wanted   string                 // the one that a tracker named last
	begun    []*rendition.Rendition // whose playlists show a new event that is not acted on yet
	awaiting map[*rendition.Rendition]time.Time

	joining sync.Mutex                    // held while swarms are joined or left
	seen    map[*rendition.Rendition]bool // renditions that have seen an event begin since id was taken; guarded by joining
	unseen  map[*rendition.Rendition]bool // renditions that join when their playlists show the event; guarded by joining
}

func newSwarmState(id string) *swarmState {
	return &swarmState{
		wake: make(chan struct{}, 1), id: id, awaiting: make(map[*rendition.Rendition]time.Time),
		seen: make(map[*rendition.Rendition]bool), unseen: make(map[*rendition.Rendition]bool),
	}
}

func (s *swarmState) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// SwarmID is the id that the engine's swarms are made from; empty until it is known.
func (e *Engine) SwarmID() string {
	e.swarms.mu.Lock()
	defer e.swarms.mu.Unlock()
	return e.swarms.id
}

// TakeSwarmID takes the id that a tracker gives for the stream's swarms; it returns at once. If it is another one than
// before, the engine moves to its swarms. If a new event has begun, as the id says, nothing of the old one is kept. An
// empty or very long id changes nothing.
func (e *Engine) TakeSwarmID(id string) {
	if id == "" || len(id) > telemetry.MaxSwarmIDLength {
		return
	}
	s := e.swarms
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = id
	if s.id == id {
		s.told = true
		return
	}
	s.signal()
}

// newEvent is rendition.Shared.NewEvent: the swarms are left if a tracker names those of the new event.
func (e *Engine) newEvent(r *rendition.Rendition) bool {
	s := e.swarms
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, r)
	s.signal()
	return s.told
}

// start names the swarms before the first is joined: as a tracker has said already, or as configured, or as players do by
// themselves.
func (e *Engine) start(p *manifest.Presentation) {
	s := e.swarms
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.wanted != "":
		s.id, s.told = s.wanted, true
	case s.id == "":
		s.id = p.DefaultSwarmID
		e.shared.Settings.Asked = rendition.DefaultSwarms{Answered: s.id, Asked: identity.AskedSwarmID(e.cfg.Source.URL(), p.URL)}
	}
}

// manage acts on what trackers and renditions say until ctx ends.
func (e *Engine) manage(ctx context.Context) {
	again := time.NewTicker(nameAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.swarms.wake:
		case <-again.C:
			e.swarms.mu.Lock()
			waiting := len(e.swarms.awaiting) > 0
			e.swarms.mu.Unlock()
			if !waiting {
				continue
			}
			e.askForName()
		}
		e.eventsBegan(ctx)
		e.move(ctx)
		e.nameDidNotCome(ctx, time.Now())
	}
}

// askForName has the tracker asked which swarms are those of the event that has begun.
func (e *Engine) askForName() {
	if e.cfg.NewEvent != nil {
		e.cfg.NewEvent()
	}
}

// eventsBegan leaves the swarms of renditions that show a new event, until a tracker names others, and joins those of
// renditions that waited for it.
func (e *Engine) eventsBegan(ctx context.Context) {
	s := e.swarms
	s.mu.Lock()
	begun, told, id := s.begun, s.told, s.id
	s.begun = nil
	s.mu.Unlock()
	if len(begun) == 0 {
		return
	}
	e.reread() // a new event may have other renditions
	s.joining.Lock()
	defer s.joining.Unlock()
	for _, r := range begun {
		switch {
		case s.unseen[r]:
			delete(s.unseen, r)
			e.leave(r) // it may be in none
			e.join(ctx, r, id)
		case told:
			s.seen[r] = true
			s.mu.Lock()
			s.awaiting[r] = time.Now().Add(nameWithin)
			s.mu.Unlock()
			e.leave(r)
			e.askForName()
		default:
			s.seen[r] = true
		}
	}
}

// move goes to the swarms that a tracker named.
func (e *Engine) move(ctx context.Context) {
	s := e.swarms
	s.mu.Lock()
	before, told, id := s.id, s.told, s.wanted
	if id == "" || before == "" || id == before {
		s.mu.Unlock()
		return
	}
	s.id, s.told = id, true
	clear(s.awaiting)
	s.mu.Unlock()
	// What a tracker says first does not tell that an event began since the playlist was loaded.
	another := told && epochOf(before) != epochOf(id)
	e.log.Info("moving to the swarms that the tracker names", "swarm", id, "before", before, "newEvent", another)
	if another {
		e.reread()
	}
	s.joining.Lock()
	defer s.joining.Unlock()
	e.mu.Lock()
	all := slices.Clone(e.renditions)
	e.mu.Unlock()
	var leaving sync.WaitGroup
	for _, r := range all {
		leaving.Go(func() { e.leave(r) })
	}
	leaving.Wait()
	for _, r := range all {
		if another && !s.seen[r] {
			s.unseen[r] = true
			r.Expect(expectWithin)
			continue
		}
		delete(s.unseen, r)
		e.join(ctx, r, id)
	}
	clear(s.seen)
}

// nameDidNotCome joins the swarms again that were left because of an event for which the tracker names no others.
func (e *Engine) nameDidNotCome(ctx context.Context, now time.Time) {
	s := e.swarms
	s.mu.Lock()
	id := s.id
	var over []*rendition.Rendition
	for r, until := range s.awaiting {
		if now.After(until) {
			over = append(over, r)
			delete(s.awaiting, r)
		}
	}
	s.mu.Unlock()
	s.joining.Lock()
	defer s.joining.Unlock()
	for _, r := range over {
		r.Log().Warn("the tracker names no other swarm for the new event, joining the same again")
		e.join(ctx, r, id)
	}
}

// join joins the swarms of a rendition. One that cannot be joined is no reason to end the others.
func (e *Engine) join(ctx context.Context, r *rendition.Rendition, id string) {
	if err := r.Join(ctx, id); err != nil && ctx.Err() == nil {
		r.Log().Error("joining swarms failed", "error", err)
	}
}

// rejoin joins what a rendition has not joined yet, unless its swarms are about to be named.
func (e *Engine) rejoin(ctx context.Context, r *rendition.Rendition) {
	s := e.swarms
	s.joining.Lock()
	defer s.joining.Unlock()
	s.mu.Lock()
	_, awaiting := s.awaiting[r]
	id := s.id
	s.mu.Unlock()
	if !awaiting && !s.unseen[r] {
		e.join(ctx, r, id)
	}
}

// leave leaves the swarms of a rendition and returns its claims.
func (e *Engine) leave(r *rendition.Rendition) { e.unclaim(r.LeaveSwarms()) }

func (e *Engine) unclaim(hashes []identity.InfoHash) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, hash := range hashes {
		delete(e.claimed, hash)
	}
}

// gone forgets a rendition that has ended.
func (s *swarmState) gone(r *rendition.Rendition) {
	s.mu.Lock()
	delete(s.awaiting, r)
	s.mu.Unlock()
	delete(s.seen, r)
	delete(s.unseen, r)
}

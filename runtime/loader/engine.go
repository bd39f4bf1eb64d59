package loader

import (
	"context"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
	"github.com/p2pstream/p2pstream/runtime/loader/upload"
)

// Engine takes part in one stream as a viewer or a seeder.
type Engine struct {
	cfg      Config
	log      *slog.Logger
	shared   rendition.Shared
	demand   *onDemand // nil unless on demand
	counters traffic.Recorder
	peers    rendition.Connections
	work     sync.WaitGroup
	segments atomic.Int64 // known, over all renditions
	swarms   *swarmState
	roster   *roster

	mu         sync.Mutex
	renditions []*rendition.Rendition
	lastError  error         // of loading the manifest; nil since it worked
	loaded     chan struct{} // closed once the presentation is known
	drained    bool
	claimed    map[identity.InfoHash]bool

	anyGeneration bool // none is configured: the format decides
}

// New makes an engine that connects through node; node may be nil if no
// trackers are given. uplink nil means no limit, log nil no log. An error is a
// *ConfigError.
func New(cfg Config, node *mesh.Node, uplink *upload.Uplink, log *slog.Logger) (*Engine, error) {
	anyGeneration := len(cfg.Generations) == 0
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if len(cfg.Trackers) > 0 && node == nil {
		return nil, &ConfigError{"trackers", "need a node, which connects to peers; create it with mesh.NewNode"}
	}
	cfg = cfg.withDefaults()
	if uplink == nil {
		uplink = upload.NewUplink(0)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		cfg: cfg, anyGeneration: anyGeneration, log: log, swarms: newSwarmState(cfg.SwarmID), roster: newRoster(),
		loaded:  make(chan struct{}),
		claimed: make(map[identity.InfoHash]bool),
	}
	e.shared = rendition.Shared{
		Settings: cfg.settings(), Source: cfg.Source, Node: node, Log: log,
		Store: store.New(cfg.StoreBytes), Uplink: uplink, Counters: &e.counters,
		Transit: transit.NewBudget(cfg.StoreBytes, cfg.MaxSegmentBytes), Verifier: fetch.NewVerifier(cfg.Source, &e.counters),
		Seed: mathrand.Uint64(), Work: &e.work, Peers: &e.peers, Segments: &e.segments,
		Claim: e.claim, Evicted: e.evicted, Draining: e.draining, NewEvent: e.newEvent,
	}
	switch {
	case cfg.OnDemand:
		e.demand = &onDemand{reload: make(chan struct{}, 1)}
	case cfg.Role == RoleViewer:
		e.shared.Playback = playback.New(time.Now())
	}
	return e, nil
}

// Run takes part until ctx ends, then leaves all swarms. An unreachable origin
// is no error: Run keeps trying, and reports the reason in the log and in Status.
func (e *Engine) Run(ctx context.Context) error {
	defer e.work.Wait()
	presentation := e.load(ctx)
	if presentation == nil {
		return nil // stopped before the origin answered
	}
	e.adapt(presentation)
	e.start(presentation)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	e.work.Go(func() { e.manage(ctx) })
	if c := e.shared.Checker; c != nil {
		e.work.Go(func() { c.Run(ctx) })
	}
	if e.demand != nil {
		return e.runOnDemand(ctx, presentation)
	}
	selected := e.bounded(e.cfg.Select(presentation.SharedBy(e.cfg.Generations)))
	if len(selected) == 0 {
		return fmt.Errorf("selecting renditions of %s: none of %d is selected", presentation.URL, len(presentation.Renditions))
	}
	var err error
	for _, info := range selected {
		if err = e.add(ctx, info); err != nil {
			err = fmt.Errorf("joining swarm of %s: %w", info.Name, err)
			stop()
			break
		}
	}
	if err == nil {
		close(e.loaded)
		e.keepRenditions(ctx)
		<-ctx.Done()
	}
	e.swarms.joining.Lock() // joins nothing any more
	e.mu.Lock()
	all := e.renditions
	e.mu.Unlock()
	for _, r := range all {
		e.roster.running.Go(r.Leave)
	}
	e.swarms.joining.Unlock()
	e.roster.running.Wait()
	return err
}

// adapt chooses what a presentation's format decides: pages play DASH with p2p-media-loader-shaka, of which there is 2.2 only,
// so a viewer that is to share with them is of that generation.
func (e *Engine) adapt(p *manifest.Presentation) {
	if e.anyGeneration && e.cfg.Role == RoleViewer && p.Format == manifest.FormatDASH {
		e.shared.Settings.Generations = []identity.Generation{identity.V22}
	}
}

// load gets the presentation, however long it takes; nil if ctx ends first.
func (e *Engine) load(ctx context.Context) *manifest.Presentation {
	wait := backoff.New(250*time.Millisecond, 5*time.Second)
	for {
		p, err := e.cfg.Source.Refresh(ctx)
		if err == nil {
			e.setError(nil)
			return p
		}
		if ctx.Err() != nil {
			return nil
		}
		e.setError(err)
		e.log.Warn("loading manifest failed, trying again", "error", err)
		if !wait.Sleep(ctx) || !sleep(ctx, manifest.RetryAfter(err)) {
			return nil
		}
	}
}

// sleep waits for d and tells whether ctx is not over.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (e *Engine) setError(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastError = err
}

// Counters returns the cumulative counts.
func (e *Engine) Counters() traffic.Counters { return e.counters.Counters() }

// Played returns what arrived of each rendition, by source. Read it before Counters, which include it then.
func (e *Engine) Played() []traffic.Played { return e.counters.Played() }

// Playback returns what a viewer measured of its playback; zero for seeders.
func (e *Engine) Playback() playback.Stats {
	if e.shared.Playback == nil {
		return playback.Stats{}
	}
	return e.shared.Playback.Stats(time.Now())
}

// Peers is the number of open connections over all swarms.
func (e *Engine) Peers() int { return e.peers.Open() }

// Loaded is closed once the presentation is known.
func (e *Engine) Loaded() <-chan struct{} { return e.loaded }

// Status describes an engine at one moment.
type Status struct {
	Renditions []rendition.Status
	Store      store.Stats
	Peers      int
	Error      string // why the manifest cannot be loaded; empty if it is
}

// Status returns what the engine holds and its current errors.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Store: e.shared.Store.Stats(), Peers: e.Peers()}
	if e.lastError != nil {
		s.Error = e.lastError.Error()
	}
	for _, r := range e.renditions {
		s.Renditions = append(s.Renditions, r.Status())
	}
	return s
}

// evicted tells all renditions that segments left the shared store.
func (e *Engine) evicted(keys []store.Key) {
	if len(keys) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.renditions {
		r.Evicted(keys)
	}
}

// claim takes a swarm for one rendition; false if another one has it.
func (e *Engine) claim(hash identity.InfoHash) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.claimed[hash] {
		return false
	}
	e.claimed[hash] = true
	return true
}

// isFree tells whether no rendition has a swarm.
func (e *Engine) isFree(hash identity.InfoHash) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.claimed[hash]
}

// Problems returns the counts of what went wrong.
func (e *Engine) Problems() traffic.Problems { return e.counters.Problems() }

package loader

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
)

// Engine takes part in one stream as a viewer or a seeder.
type Engine struct {
	cfg      Config
	node     *mesh.Node
	log      *slog.Logger
	store    *store.Store
	uplink   *Uplink
	playback *playback.Clock // nil for seeders and on demand
	demand   *onDemand       // nil unless on demand
	counters traffic.Recorder
	peers    atomic.Int64
	lastPeer atomic.Int64 // when a connection last opened or closed, Unix nanoseconds; 0: never
	work     sync.WaitGroup
	seed     uint64
	checks   chan struct{} // bounds simultaneous verifications
	checking atomic.Int64  // those and the ones that wait
	transit  *transit.Budget
	segments atomic.Int64 // known, over all renditions

	mu         sync.Mutex
	renditions []*rendition
	lastError  error         // of loading the manifest; nil since it worked
	loaded     chan struct{} // closed once the presentation is known
	drained    bool
	claimed    map[identity.InfoHash]bool
}

// New makes an engine that connects through node; node may be nil if no
// trackers are given. uplink nil means no limit.
func New(cfg Config, node *mesh.Node, uplink *Uplink, log *slog.Logger) (*Engine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if uplink == nil {
		uplink = NewUplink(0)
	}
	e := &Engine{
		cfg: cfg, node: node, log: log, uplink: uplink,
		store:   store.New(cfg.StoreBytes),
		transit: transit.NewBudget(cfg.StoreBytes, cfg.MaxSegmentBytes),
		seed:    mathrand.Uint64(),
		checks:  make(chan struct{}, 2),
		loaded:  make(chan struct{}),
		claimed: make(map[identity.InfoHash]bool),
	}
	switch {
	case cfg.OnDemand:
		e.demand = &onDemand{reload: make(chan struct{}, 1)}
	case cfg.Role == RoleViewer:
		e.playback = playback.New(time.Now())
	}
	return e, nil
}

// Run takes part until ctx ends, then leaves all swarms. An origin that is
// away is no error: Run keeps trying, and says why in the log and in Status.
func (e *Engine) Run(ctx context.Context) error {
	defer e.work.Wait()
	presentation := e.load(ctx)
	if presentation == nil {
		return nil // stopped before the origin came up
	}
	if e.demand != nil {
		return e.serve(ctx, presentation)
	}
	swarmID := e.cfg.SwarmID
	if swarmID == "" {
		swarmID = presentation.DefaultSwarmID
	}
	var all []*rendition
	for _, info := range e.bounded(e.cfg.Select(presentation.Renditions)) {
		all = append(all, newRendition(ctx, e, info))
	}
	if len(all) == 0 {
		return fmt.Errorf("selecting renditions of %s: none of %d is left", presentation.URL, len(presentation.Renditions))
	}
	e.mu.Lock()
	e.renditions = all
	e.mu.Unlock()
	close(e.loaded)

	var running sync.WaitGroup
	for _, r := range all {
		if err := r.join(ctx, swarmID); err != nil {
			for _, r := range all {
				r.leave()
			}
			return fmt.Errorf("joining swarm of %s: %w", r.info.Name, err)
		}
		running.Go(r.run)
	}
	<-ctx.Done()
	for _, r := range all {
		running.Go(r.leave)
	}
	running.Wait()
	return nil
}

// load gets the presentation, however long it takes; nil if ctx ends first.
func (e *Engine) load(ctx context.Context) *manifest.Presentation {
	wait := backoff.New(250*time.Millisecond, 5*time.Second)
	for {
		p, err := e.cfg.Source.Load(ctx)
		if err == nil {
			e.fail(nil)
			return p
		}
		if ctx.Err() != nil {
			return nil
		}
		e.fail(err)
		e.log.Warn("loading manifest failed, trying again", "error", err)
		if !wait.Sleep(ctx) {
			return nil
		}
	}
}

func (e *Engine) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lastError = err
}

// traffic.Counters returns the cumulative counts.
func (e *Engine) Counters() traffic.Counters { return e.counters.Counters() }

// Playback returns what a viewer measured of its playback; zero for seeders.
func (e *Engine) Playback() playback.Stats {
	if e.playback == nil {
		return playback.Stats{}
	}
	return e.playback.Stats(time.Now())
}

// Peers is the number of open connections over all swarms.
func (e *Engine) Peers() int { return int(e.peers.Load()) }

// Loaded is closed once the presentation is known.
func (e *Engine) Loaded() <-chan struct{} { return e.loaded }

// Status describes an engine at one moment.
type Status struct {
	Renditions []RenditionStatus
	Store      store.Stats
	Peers      int
	Error      string // why the manifest cannot be loaded; empty if it is
}

// RenditionStatus describes one rendition of an engine.
type RenditionStatus struct {
	Name        string
	Live        bool
	HeldEdge    int64 // media sequence of the newest segment held; -1 if none
	NewestKnown int64 // media sequence of the newest segment published; -1 if none
	Held        int   // segments of the playlist held
	Known       int   // segments in the playlist
	Peers       int
	Announced   int    // segments that peers announce
	Waits       int    // players' requests that wait for bytes
	Error       string // why its playlist cannot be refreshed; empty if it is
}

// Status returns what the engine holds and why it may not.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Store: e.store.Stats(), Peers: e.Peers()}
	if e.lastError != nil {
		s.Error = e.lastError.Error()
	}
	for _, r := range e.renditions {
		s.Renditions = append(s.Renditions, r.Status())
	}
	return s
}

// requestID draws the number of a request, 0 to 999 as browsers do.
func (e *Engine) requestID() int64 { return mathrand.Int64N(1000) }

// dropEvicted tells all renditions that segments left the shared store.
func (e *Engine) dropEvicted(keys []store.Key) {
	if len(keys) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.renditions {
		r.mail.Post(func() { r.evicted(keys) })
	}
}

func (e *Engine) newPeerID() (identity.PeerID, error) {
	return identity.NewPeerID(e.cfg.Role.peerIDPrefix(), rand.Reader)
}

// claim takes a swarm for one rendition; false if another has it.
func (e *Engine) claim(hash identity.InfoHash) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.claimed[hash] {
		return false
	}
	e.claimed[hash] = true
	return true
}

// Problems returns the counts of what went wrong.
func (e *Engine) Problems() traffic.Problems { return e.counters.Problems() }

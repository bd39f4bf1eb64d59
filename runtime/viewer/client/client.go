package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// DefaultStartupWait is how long a viewer waits for its first peer before it asks
// the origin for what it must play now, when the tracker says that seeders hold
// the stream: a connection on a LAN takes a tenth of it, a network without UDP
// costs no more.
const DefaultStartupWait = 350 * time.Millisecond

// prefetchDelay is how long after its start a viewer, with or without seeders, asks
// the origin for nothing that it will play later: a peer may hold it.
const prefetchDelay = 5 * time.Second

// Client takes part in one stream as a viewer.
type Client struct {
	cfg   Config
	adapt func(*loader.Config)
	log   *slog.Logger
	reg   prometheus.Registerer
	known chan struct{} // closed once engine and source are set

	drained atomic.Bool
	begun   chan struct{} // a new event has begun, its swarms are to be named

	mu     sync.Mutex
	engine *loader.Engine
	source *manifest.Source
}

// New returns a client; nothing is fetched or joined before Run. adapt, if not
// nil, changes the engine's configuration. A nil logger discards; reg may be nil.
func New(cfg Config, adapt func(*loader.Config), log *slog.Logger, reg prometheus.Registerer) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if adapt == nil {
		adapt = func(*loader.Config) {}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Client{cfg: cfg, adapt: adapt, log: log, reg: reg, known: make(chan struct{}), begun: make(chan struct{}, 1)}, nil
}

// Known is closed once the settings are known: from then on Engine and Source
// are not nil.
func (c *Client) Known() <-chan struct{} { return c.known }

// Engine is what moves the segments; nil before Known.
func (c *Client) Engine() *loader.Engine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engine
}

// Source is where the stream comes from; nil before Known.
func (c *Client) Source() *manifest.Source {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.source
}

// drainTimeout is how long a viewer that leaves completes the uploads that peers requested.
const drainTimeout = 2 * time.Second

// Run takes part until ctx ends, then leaves: it tells peers that it holds nothing
// any more, completes running uploads, and sends the tracker a last report.
func (c *Client) Run(ctx context.Context) error {
	h, err := c.settings(ctx)
	if err != nil || h == nil {
		return err
	}
	source, err := manifest.NewSource(manifest.SourceConfig{URL: h.StreamURL, Format: c.cfg.Format, SignedPaths: h.SignedPaths, Logger: c.log, Registerer: c.reg})
	if err != nil {
		return fmt.Errorf("creating source: %w", err)
	}
	defer source.Close()
	node, err := mesh.NewNode(mesh.NodeConfig{
		ICEServers: h.stun(), OneSocketPerSwarm: c.cfg.OneSocketPerSwarm, Loopback: c.cfg.Loopback,
		MaxPeers: cmp.Or(c.cfg.MaxPeers, loader.DefaultMaxPeers),
	}, c.log, c.reg)
	if err != nil {
		return fmt.Errorf("creating WebRTC node: %w", err)
	}
	engine, err := loader.New(c.engineConfig(h, source), node, nil, c.log)
	if err != nil {
		return errors.Join(err, node.Close())
	}
	c.check(engine, h)
	c.mu.Lock()
	c.engine, c.source = engine, source
	c.mu.Unlock()
	close(c.known)
	// Both outlive ctx: leaving takes time.
	running, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	reporting, endReports := context.WithCancel(context.WithoutCancel(ctx))
	defer endReports()
	var work sync.WaitGroup
	sockets := newOverSocket(h, node)
	if h.Telemetry.URL != "" {
		cfg := report.Config{
			URL: h.Telemetry.URL, Interval: time.Duration(h.Telemetry.IntervalMs) * time.Millisecond,
			Session: h.Telemetry.Session, Renew: c.renew, Answered: engine.TakeSwarmID,
		}
		if sockets != nil {
			defer sockets.own.Close()
			cfg.Socket = sockets.send
		}
		r := report.New(cfg, c.sample, c.log)
		work.Go(func() { r.Run(reporting) })
	}
	if c.cfg.ConfigURL != "" {
		engine.TakeSwarmID(h.SwarmID)
		work.Go(func() { c.askForSwarms(reporting, engine) })
	}
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(running) }()
	select {
	case <-ctx.Done():
		c.Drain(running)
		leave()
		err = <-ended
	case err = <-ended:
	}
	if sockets != nil {
		sockets.leaving.Store(true)
	}
	endReports() // nothing is counted any more, so the last report is complete
	work.Wait()
	return errors.Join(err, node.Close())
}

// Drain tells peers that nothing is held here any more and returns when running
// uploads are complete, or after two seconds. Run does it when its ctx ends,
// unless it was done before.
func (c *Client) Drain(ctx context.Context) {
	engine := c.Engine()
	if engine == nil || c.drained.Swap(true) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	engine.Drain(ctx)
}

// settings gets the stream's settings; it asks an unreachable tracker again.
func (c *Client) settings(ctx context.Context) (*settings, error) {
	if c.cfg.ConfigURL == "" {
		h := &settings{StreamURL: c.cfg.Source, SwarmID: c.cfg.SwarmID, Trackers: c.cfg.Trackers, SignedPaths: c.cfg.SignedPaths}
		for _, s := range c.cfg.STUN {
			h.ICEServers = append(h.ICEServers, struct {
				URLs []string `json:"urls"`
			}{URLs: []string{s}})
		}
		return h, nil
	}
	wait := backoff.New(250*time.Millisecond, 5*time.Second)
	for {
		h, err := c.cfg.fetchSettings(ctx)
		if err == nil {
			return h, nil
		}
		if ctx.Err() != nil {
			return nil, nil //nolint:nilerr // stopped before the tracker answered
		}
		c.log.Warn("getting settings from the tracker failed, trying again", "error", err)
		if !wait.Sleep(ctx) {
			return nil, nil
		}
	}
}

func (c *Client) renew(ctx context.Context) (string, error) {
	h, err := c.cfg.fetchSettings(ctx)
	if err != nil {
		return "", err
	}
	return h.Telemetry.Session, nil
}

func (c *Client) engineConfig(h *settings, source *manifest.Source) loader.Config {
	e := loader.Config{
		Role: loader.RoleViewer, Source: source, SwarmID: h.SwarmID, Trackers: h.Trackers,
		MaxPeers: c.cfg.MaxPeers, StoreBytes: c.cfg.StoreBytes, Verify: c.cfg.Verify,
		OriginOnly:        h.originOnly(),
		UploadDisabled:    c.cfg.NoUpload || h.Settings.Core.UploadDisabled,
		LiveDelaySegments: h.Settings.HLSJS.LiveSyncDurationCount,
	}
	e.Generations, _ = identity.ParseGenerations(c.cfg.Generations) // Validate has
	if c.cfg.NoP2P || h.Settings.Core.P2PDisabled {
		e.Trackers = nil
	}
	if h.Seeders > 0 || c.cfg.ConfigURL == "" {
		e.StartupWait = cmp.Or(c.cfg.StartupWait.Std(), DefaultStartupWait)
	}
	e.PrefetchDelay = prefetchDelay
	e.SeedersHold = h.Seeders > 0
	e.NewEvent = c.newEvent
	c.adapt(&e)
	return e
}

// sample is the viewer's telemetry report.
func (c *Client) sample() telemetry.Report {
	engine := c.Engine()
	played := report.Played(engine.Played()) // read before the counters, which include it
	n, p := engine.Counters(), engine.Playback()
	return telemetry.Report{
		Role:     telemetry.RoleViewer,
		Counters: telemetry.Counters{HTTP: n.HTTP, Seeder: n.Seeder, Viewer: n.Viewer, Discarded: n.Discarded, Uploaded: n.Uploaded},
		Checks:   checks(n.Checks),
		Played:   played,
		Peers:    engine.Peers(), Stalls: p.Stalls, StallMs: p.Stalled.Milliseconds(), StartupMs: p.Startup.Milliseconds(),
	}
}

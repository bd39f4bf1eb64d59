package join

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

// startupHope is how long a viewer, with or without seeders, waits before it asks
// for what it will play later: somebody else may have it.
const startupHope = 5 * time.Second

// Member takes part in one stream as a viewer.
type Member struct {
	cfg   Config
	adapt func(*loader.Config)
	log   *slog.Logger
	reg   prometheus.Registerer
	known chan struct{} // closed once engine and source are there

	drained atomic.Bool

	mu     sync.Mutex
	engine *loader.Engine
	source *manifest.Source
}

// New makes a member; nothing is fetched or joined before Run. adapt, if not
// nil, changes what the engine is made with; reg may be nil.
func New(cfg Config, adapt func(*loader.Config), log *slog.Logger, reg prometheus.Registerer) (*Member, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if adapt == nil {
		adapt = func(*loader.Config) {}
	}
	return &Member{cfg: cfg, adapt: adapt, log: log, reg: reg, known: make(chan struct{})}, nil
}

// Known is closed once it is known what to play: from then on there are an
// Engine and a Source.
func (m *Member) Known() <-chan struct{} { return m.known }

// Engine is what moves the segments; nil before Known.
func (m *Member) Engine() *loader.Engine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.engine
}

// Source is where the stream comes from; nil before Known.
func (m *Member) Source() *manifest.Source {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.source
}

// drain is how long a viewer that leaves may go on sending what others asked it for.
const drain = 2 * time.Second

// Run takes part until ctx ends, then leaves: others are told to ask elsewhere,
// get what they asked for already, and the tracker hears what was counted in all.
func (m *Member) Run(ctx context.Context) error {
	h, err := m.handout(ctx)
	if err != nil || h == nil {
		return err
	}
	source, err := manifest.NewSource(manifest.SourceConfig{URL: h.StreamURL, Logger: m.log, Registerer: m.reg})
	if err != nil {
		return fmt.Errorf("making source: %w", err)
	}
	defer source.Close()
	node, err := mesh.NewNode(mesh.NodeConfig{
		ICEServers: h.stun(), OneSocketPerSwarm: m.cfg.OneSocketPerSwarm, Loopback: m.cfg.Loopback,
	}, m.log, m.reg)
	if err != nil {
		return fmt.Errorf("making WebRTC node: %w", err)
	}
	engine, err := loader.New(m.engineConfig(h, source), node, nil, m.log)
	if err != nil {
		return errors.Join(err, node.Close())
	}
	m.mu.Lock()
	m.engine, m.source = engine, source
	m.mu.Unlock()
	close(m.known)
	// Both outlive ctx, by the time that leaving takes.
	taking, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	reporting, endReports := context.WithCancel(context.WithoutCancel(ctx))
	defer endReports()
	var work sync.WaitGroup
	if h.Telemetry.URL != "" {
		r := report.New(report.Config{
			URL: h.Telemetry.URL, Interval: time.Duration(h.Telemetry.IntervalMs) * time.Millisecond,
			Session: h.Telemetry.Session, Renew: m.renew,
		}, m.sample, m.log)
		work.Go(func() { r.Run(reporting) })
	}
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(taking) }()
	select {
	case <-ctx.Done():
		m.Drain(taking)
		leave()
		err = <-ended
	case err = <-ended:
	}
	endReports() // nothing is counted any more, so the last one says all
	work.Wait()
	return errors.Join(err, node.Close())
}

// Drain makes others ask elsewhere and returns when they have what they asked for
// already, or when a viewer cannot be expected to stay for it. Run does it when
// its ctx ends, unless it was done before.
func (m *Member) Drain(ctx context.Context) {
	engine := m.Engine()
	if engine == nil || m.drained.Swap(true) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drain)
	defer cancel()
	engine.Drain(ctx)
}

// handout learns how to take part; a tracker that is away is asked again.
func (m *Member) handout(ctx context.Context) (*handout, error) {
	if m.cfg.ConfigURL == "" {
		h := &handout{StreamURL: m.cfg.Source, SwarmID: m.cfg.SwarmID, Trackers: m.cfg.Trackers}
		for _, s := range m.cfg.STUN {
			h.ICEServers = append(h.ICEServers, struct {
				URLs []string `json:"urls"`
			}{URLs: []string{s}})
		}
		return h, nil
	}
	pause := 250 * time.Millisecond
	for {
		h, err := fetchHandout(ctx, m.cfg.ConfigURL)
		if err == nil {
			return h, nil
		}
		if ctx.Err() != nil {
			return nil, nil //nolint:nilerr // stopped before the tracker came up
		}
		m.log.Warn("asking the tracker for settings failed, trying again", "error", err)
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func (m *Member) renew(ctx context.Context) (string, error) {
	h, err := fetchHandout(ctx, m.cfg.ConfigURL)
	if err != nil {
		return "", err
	}
	return h.Telemetry.Session, nil
}

func (m *Member) engineConfig(h *handout, source *manifest.Source) loader.Config {
	c := loader.Config{
		Role: loader.RoleViewer, Source: source, SwarmID: h.SwarmID, Trackers: h.Trackers,
		MaxPeers: m.cfg.MaxPeers, StoreBytes: m.cfg.StoreBytes, Verify: m.cfg.Verify,
		UploadDisabled:    m.cfg.NoUpload || h.Settings.Core.UploadDisabled,
		LiveDelaySegments: h.Settings.HLSJS.LiveSyncDurationCount,
	}
	for _, g := range m.cfg.Generations {
		c.Generations = append(c.Generations, identity.Generation(g))
	}
	if m.cfg.NoP2P || h.Settings.Core.P2PDisabled {
		c.Trackers = nil
	}
	if h.Seeders > 0 || m.cfg.ConfigURL == "" {
		c.StartupWait = cmp.Or(m.cfg.StartupWait.Std(), DefaultStartupWait)
	}
	c.PrefetchDelay = startupHope
	m.adapt(&c)
	return c
}

// sample is the viewer's telemetry report.
func (m *Member) sample() telemetry.Report {
	engine := m.Engine()
	c, p := engine.Counters(), engine.Playback()
	return telemetry.Report{
		Role:     telemetry.RoleViewer,
		Counters: telemetry.Counters{HTTP: c.HTTP, Seeder: c.Seeder, Viewer: c.Viewer, Discarded: c.Discarded, Uploaded: c.Uploaded},
		Peers:    engine.Peers(), Stalls: p.Stalls, StallMs: p.Stalled.Milliseconds(), StartupMs: p.Startup.Milliseconds(),
	}
}

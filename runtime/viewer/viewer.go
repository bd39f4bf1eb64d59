package viewer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// When the tracker says that seeders hold the stream, a viewer waits startupWait
// for its first peer before it asks the origin for what it must play now: a
// connection on a LAN takes a tenth of it, a network without UDP costs no more.
// With or without seeders it waits startupHope before it asks for what it will
// play later: somebody else may have it.
const (
	startupWait = 350 * time.Millisecond
	startupHope = 5 * time.Second
)

// viewer is one synthetic viewer.
type viewer struct {
	id  int
	cfg Config
	log *slog.Logger

	mu     sync.Mutex
	engine *loader.Engine // nil until it is known what to play
}

// run plays until ctx ends.
func (v *viewer) run(ctx context.Context, reg prometheus.Registerer) error {
	h, err := v.handout(ctx)
	if err != nil || h == nil {
		return err
	}
	source, err := manifest.NewSource(manifest.SourceConfig{URL: h.StreamURL, Logger: v.log, Registerer: reg})
	if err != nil {
		return fmt.Errorf("making source: %w", err)
	}
	defer source.Close()
	node, err := mesh.NewNode(mesh.NodeConfig{
		ICEServers: h.stun(), OneSocketPerSwarm: v.cfg.OneSocketPerSwarm, Loopback: v.cfg.Loopback,
	}, v.log, reg)
	if err != nil {
		return fmt.Errorf("making WebRTC node: %w", err)
	}
	engine, err := loader.New(v.engineConfig(h, source), node, nil, v.log)
	if err != nil {
		return errors.Join(err, node.Close())
	}
	v.mu.Lock()
	v.engine = engine
	v.mu.Unlock()
	var work sync.WaitGroup
	if h.Telemetry.URL != "" {
		r := report.New(report.Config{
			URL: h.Telemetry.URL, Interval: time.Duration(h.Telemetry.IntervalMs) * time.Millisecond,
			Session: h.Telemetry.Session, Renew: v.renew,
		}, v.sample, v.log)
		work.Go(func() { r.Run(ctx) })
	}
	err = engine.Run(ctx)
	work.Wait()
	return errors.Join(err, node.Close())
}

// handout learns how to take part; a tracker that is away is asked again.
func (v *viewer) handout(ctx context.Context) (*handout, error) {
	if v.cfg.ConfigURL == "" {
		h := &handout{StreamURL: v.cfg.Source, SwarmID: v.cfg.SwarmID, Trackers: v.cfg.Trackers}
		for _, s := range v.cfg.STUN {
			h.ICEServers = append(h.ICEServers, struct {
				URLs []string `json:"urls"`
			}{URLs: []string{s}})
		}
		return h, nil
	}
	pause := 250 * time.Millisecond
	for {
		h, err := fetchHandout(ctx, v.cfg.ConfigURL)
		if err == nil {
			return h, nil
		}
		if ctx.Err() != nil {
			return nil, nil //nolint:nilerr // stopped before the tracker came up
		}
		v.log.Warn("asking the tracker for settings failed, trying again", "error", err)
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func (v *viewer) renew(ctx context.Context) (string, error) {
	h, err := fetchHandout(ctx, v.cfg.ConfigURL)
	if err != nil {
		return "", err
	}
	return h.Telemetry.Session, nil
}

func (v *viewer) engineConfig(h *handout, source *manifest.Source) loader.Config {
	c := loader.Config{
		Role: loader.RoleViewer, Source: source, SwarmID: h.SwarmID, Trackers: h.Trackers,
		MaxPeers: v.cfg.MaxPeers, StoreBytes: v.cfg.StoreBytes, Verify: v.cfg.Verify,
		UploadDisabled:    v.cfg.NoUpload || h.Settings.Core.UploadDisabled,
		LiveDelaySegments: h.Settings.HLSJS.LiveSyncDurationCount,
		Select:            v.selector(),
	}
	for _, g := range v.cfg.Generations {
		c.Generations = append(c.Generations, identity.Generation(g))
	}
	if v.cfg.NoP2P || h.Settings.Core.P2PDisabled {
		c.Trackers = nil
	}
	if h.Seeders > 0 || v.cfg.ConfigURL == "" {
		c.StartupWait = startupWait
	}
	c.StartupHope = startupHope
	return c
}

func (v *viewer) selector() func([]manifest.Rendition) []manifest.Rendition {
	names := v.cfg.Renditions
	if len(names) == 0 {
		return nil
	}
	return func(all []manifest.Rendition) []manifest.Rendition {
		var out []manifest.Rendition
		for _, r := range all {
			if slices.Contains(names, r.Name) || slices.Contains(names, AllRenditions) {
				out = append(out, r)
			}
		}
		return out
	}
}

// sample is the viewer's telemetry report.
func (v *viewer) sample() telemetry.Report {
	v.mu.Lock()
	engine := v.engine
	v.mu.Unlock()
	c, p := engine.Counters(), engine.Playback()
	return telemetry.Report{
		Role:     telemetry.RoleViewer,
		Counters: telemetry.Counters{HTTP: c.HTTP, Seeder: c.Seeder, Viewer: c.Viewer, Discarded: c.Discarded, Uploaded: c.Uploaded},
		Peers:    engine.Peers(), Stalls: p.Stalls, StallMs: p.Stalled.Milliseconds(), StartupMs: p.Startup.Milliseconds(),
	}
}

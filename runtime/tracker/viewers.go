package tracker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/probe"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// mountViewers serves the viewer API over plain HTTP beside the WebSocket, and follows the stream for it.
func (s *Server) mountViewers(reg prometheus.Registerer) error {
	cfg := viewerapi.Config{
		AllowedOrigins: s.cfg.AllowedOrigins, SessionKey: s.sessionKey(), PrivateAccumulate: s.cfg.AdminListen != "",
		RequestsPerSecond: float64(s.cfg.Limits.RequestsPerSecond), RequestBurst: s.cfg.Limits.RequestBurst,
		MaxSessions: s.cfg.Limits.Sessions,
	}
	var h *viewerapi.Handler
	deps := viewerapi.Dependencies{
		Swarms: s, SeederToken: s.seederToken, Draining: s.draining.Load,
		OnSeeder: func(id string, state telemetry.SeederState) { s.SetSeederLoad(id, state.Peers, state.MaxPeers) },
	}
	if stream := s.cfg.Stream; stream != nil {
		cfg.StreamURL, cfg.SwarmID = stream.SourceURL, stream.SwarmID
		cfg.ExternalURL, cfg.Settings, cfg.Interval = stream.ExternalURL, stream.Settings, stream.TelemetryInterval.Std()
		cfg.TotalsKept, cfg.SignedPaths = stream.TotalsKept, stream.SignedPaths
		cfg.DisableP2P, cfg.DisableUpload = stream.DisableP2P, stream.DisableUpload
		watch := newSTUNWatch(stream.STUN, stream.STUNFile, s.log)
		deps.STUN, deps.STUNReady = watch.servers, watch.ready
		s.background = append(s.background, func(ctx context.Context) error {
			watch.run(ctx)
			return nil
		})
		said := func(infoHash string, id int64) []integrity.Hash { return h.SegmentHashes(infoHash, id) }
		follower, err := s.follow(stream, said, reg)
		if err != nil {
			return err
		}
		deps.Facts, deps.OnHashes = follower, follower.SeedersTold
	}
	var err error
	h, err = viewerapi.New(cfg, deps, s.log, reg)
	if err != nil {
		return fmt.Errorf("making viewer API: %w", err)
	}
	s.hub.seederLeft = h.SeederLeft
	s.stats = h.StatsHandler()
	s.Mount(h)
	return nil
}

// sessionKey returns the configured key, or one derived from the seeder token, so that sessions stay valid across
// restarts. It returns nil, for a random key, if neither is configured.
func (s *Server) sessionKey() []byte {
	if s.cfg.SessionKey != "" {
		return []byte(s.cfg.SessionKey)
	}
	token := s.seederToken()
	if token == "" {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("viewer sessions"))
	return mac.Sum(nil)
}

// hashesOf returns what seeders say that a segment is.
type hashesOf func(infoHash string, id int64) []integrity.Hash

// hashesSaid returns what seeders say that a segment of the named rendition is. Of two renditions with one identity they
// say it under one name, so nothing is known of either.
func hashesSaid(all []viewerapi.Rendition, name string, seg manifest.Segment, said hashesOf) (out []integrity.Hash) {
	shared := map[string]int{}
	for _, r := range all {
		for _, hash := range r.InfoHashes {
			shared[hash]++
		}
	}
	for _, r := range all {
		if r.Name != name {
			continue
		}
		for generation, hash := range r.InfoHashes {
			if shared[hash] == 1 {
				out = append(out, said(hash, seg.ID(identity.Generation(generation)))...)
			}
		}
	}
	return out
}

// follow reads the stream in the background. With OnlyKnownSwarms, its swarms become the only allowed ones.
func (s *Server) follow(stream *StreamConfig, said hashesOf, reg prometheus.Registerer) (*viewerapi.StreamFollower, error) {
	url := stream.SeederURL
	if url == "" {
		url = stream.SourceURL
	}
	source, err := manifest.NewSource(manifest.SourceConfig{
		URL: url, HeadersDir: stream.HeadersDir, CAFile: stream.CAFile, SignedPaths: stream.SignedPaths,
		Logger: s.log, Registerer: reg,
	})
	if err != nil {
		return nil, fmt.Errorf("making source of the stream: %w", err)
	}
	follower := viewerapi.NewStreamFollower(source, stream.SwarmID, s.log)
	follower.Prober, err = probe.New(probe.Config{
		Registerer: reg,
		Open: func() (probe.Session, error) {
			// A source of its own has cookies of its own. It logs nothing: the follower says what is wrong with the stream.
			return manifest.NewSource(manifest.SourceConfig{
				URL: url, HeadersDir: stream.HeadersDir, CAFile: stream.CAFile, SignedPaths: stream.SignedPaths, Registerer: reg,
			})
		},
		Hashes: func(r manifest.Rendition, seg manifest.Segment) []integrity.Hash {
			return hashesSaid(follower.Facts().Renditions, r.Name, seg, said)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making probe of the stream: %w", err)
	}
	s.background = append(s.background, func(ctx context.Context) error {
		defer source.Close()
		return follower.Run(ctx)
	})
	s.background = append(s.background, func(ctx context.Context) error {
		s.learnSwarms(ctx, follower, stream.OnlyKnownSwarms)
		return nil
	})
	return follower, nil
}

// learnSwarms updates the known swarms, and with only also the allowed ones, to those of the stream's renditions.
func (s *Server) learnSwarms(ctx context.Context, facts viewerapi.StreamFacts, only bool) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var at time.Time
	swarm := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f := facts.Facts()
		if f.At.IsZero() || (f.At.Equal(at) && f.SwarmID == swarm) || len(f.Renditions) == 0 {
			continue
		}
		at, swarm = f.At, f.SwarmID
		hashes := append([]string{}, f.FormerHashes...)
		for _, r := range f.Renditions {
			for _, h := range r.InfoHashes {
				hashes = append(hashes, h)
			}
		}
		s.SetKnown(hashes)
		if only {
			s.SetAllowed(hashes)
		}
	}
}

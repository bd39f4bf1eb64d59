package tracker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/probe"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// mountViewers serves the viewer API over plain HTTP beside the WebSocket, and follows the stream for it.
func (s *stream) mountViewers() error {
	cfg := viewerapi.Config{
		Stream: s.key.String(), Path: s.key.Prefix(), BasePath: s.cfg.BasePath,
		AllowedOrigins: s.cfg.AllowedOrigins, AllowNoOrigin: s.cfg.AllowNoOrigin, PrivateAccumulate: s.cfg.AdminListen != "", Dashboard: s.cfg.Dashboard,
		RequestsPerSecond: float64(s.cfg.Limits.RequestsPerSecond), RequestBurst: s.cfg.Limits.RequestBurst,
		MaxSessions: s.cfg.Limits.Sessions, ReportsPerSecond: s.cfg.Limits.ReportsPerSecond,
	}
	var h *viewerapi.Handler
	t := s.server
	deps := viewerapi.Dependencies{
		Swarms: s, Seeders: s.seeders, Join: t.join, Keys: t.keys.current,
		HasSocket: func(session string) bool { return s.hub.attendance.has(session, time.Now()) }, Draining: t.draining.Load,
		Sites: t.Sites, SiteMap: t.siteStats, SiteViewers: s.hub.places.viewersBySite, LocalAddresses: s.hub.localAddresses,
		OnViewer: s.hub.delivered, Mesh: s.hub.mesh,
		OnSeeder: func(id string, state telemetry.SeederState) { s.hub.setLoad(id, state.Peers, state.MaxPeers) },
	}
	if stream := s.cfg.Stream; stream != nil {
		cfg.StreamURL, cfg.SwarmID = stream.SourceURL, stream.SwarmID
		cfg.ExternalURL, cfg.Settings, cfg.Interval = stream.ExternalURL, stream.Settings, stream.TelemetryInterval.Std()
		cfg.TotalsKept, cfg.SignedPaths, cfg.TicketLifetime = stream.TotalsKept, stream.SignedPaths, stream.Tickets.Lifetime.Std()
		check, err := s.tokenCheck(stream.ViewerTokens)
		if err != nil {
			return err
		}
		deps.Token = check
		cfg.DisableP2P, cfg.DisableUpload = stream.DisableP2P, stream.DisableUpload
		deps.STUN, deps.STUNReady, deps.STUNGiven = t.stun.servers, t.stun.ready, t.stun.given
		said := func(infoHash string, id int64) []integrity.Hash { return h.SegmentHashes(infoHash, id) }
		follower, err := s.follow(stream, said)
		if err != nil {
			return err
		}
		deps.Facts, deps.OnHashes, s.facts = follower, follower.SeedersTold, follower
	}
	var err error
	h, err = viewerapi.New(cfg, deps, s.log, s.reg)
	if err != nil {
		return fmt.Errorf("making viewer API: %w", err)
	}
	s.hub.seederLeft = h.SeederLeft
	s.operator = h.Operator()
	s.viewers = h
	s.hub.report = func(c sockets.Client, message []byte) []byte { return h.Report(c.Ticket, c.Remote, message) }
	return nil
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

// follow reads the stream in the background. Unless the stream says AnySwarm, its swarms are the only allowed ones.
func (s *stream) follow(stream *StreamConfig, said hashesOf) (*viewerapi.StreamFollower, error) {
	url := stream.SeederURL
	if url == "" {
		url = stream.SourceURL
	}
	source, err := manifest.NewSource(manifest.SourceConfig{
		URL: url, Format: stream.Format, HeadersDir: stream.HeadersDir, CAFile: stream.CAFile, SignedPaths: stream.SignedPaths,
		Refuse: s.server.isAdmin, Logger: s.log, Registerer: s.reg,
	})
	if err != nil {
		return nil, fmt.Errorf("making source of the stream: %w", err)
	}
	follower := viewerapi.NewStreamFollower(source, stream.SwarmID, s.log)
	if follower.Generations, err = identity.ParseGenerations(stream.Generations); err != nil {
		return nil, fmt.Errorf("reading generations of the stream: %w", err)
	}
	follower.Prober, err = probe.New(probe.Config{
		Registerer: s.reg,
		Open: func() (probe.Session, error) {
			// A source of its own has cookies of its own. It logs nothing: the follower says what is wrong with the stream.
			return manifest.NewSource(manifest.SourceConfig{
				URL: url, Format: stream.Format, HeadersDir: stream.HeadersDir, CAFile: stream.CAFile, SignedPaths: stream.SignedPaths,
				Refuse: s.server.isAdmin, Registerer: s.reg,
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
	l := &learner{stream: s, facts: follower, only: !stream.AnySwarm}
	if l.only {
		s.hub.allow([]signaling.ID{}) // until the stream has been read, only seeders know its swarms
	}
	s.hub.learn = l.look
	s.background = append(s.background, func(ctx context.Context) error {
		l.run(ctx)
		return nil
	})
	return follower, nil
}

// isAdmin reports whether an address is that of the tracker's own admin listener, which asks no one who they are: a stream whose
// source leads there must not act on other ones.
func (s *Server) isAdmin(to netip.AddrPort) bool {
	at, ok := s.admin.(*net.TCPAddr)
	if !ok || int(to.Port()) != at.Port {
		return false
	}
	if to.Addr().IsLoopback() || to.Addr().IsUnspecified() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(to.Addr().AsSlice())
	})
}

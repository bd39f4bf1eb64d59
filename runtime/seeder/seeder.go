package seeder

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Server is one seeder of one stream.
type Server struct {
	cfg     Config
	session string // this run's name in reports and on the trackers' sockets
	log     *slog.Logger
	reg     prometheus.Registerer
	node    *mesh.Node
	engine  *loader.Engine
	uplink  *loader.Uplink
	source  *manifest.Source
	admin   *admin.Server
	ready   chan struct{}

	rateMu   sync.Mutex
	rateAt   time.Time
	rateSent int64
	rateBps  int64
}

// New makes a seeder; nothing is fetched or joined before Run.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	if cfg.Token == "" && cfg.TokenFile != "" {
		b, err := os.ReadFile(cfg.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("reading config.tokenFile: %w", err)
		}
		cfg.Token = strings.TrimSpace(string(b))
	}
	source, err := manifest.NewSource(manifest.SourceConfig{URL: cfg.Source, Logger: log, Registerer: reg})
	if err != nil {
		return nil, fmt.Errorf("making source: %w", err)
	}
	node, err := mesh.NewNode(mesh.NodeConfig{
		ICEServers: cfg.STUN, Listen: cfg.ICEListen, Advertise: cfg.Advertise, SeederToken: cfg.Token,
		OneSocketPerSwarm: cfg.OneSocketPerSwarm, Loopback: cfg.Loopback,
	}, log, reg)
	if err != nil {
		return nil, fmt.Errorf("making WebRTC node: %w", err)
	}
	s := &Server{
		cfg: cfg, session: sessionID(), log: log, reg: reg, source: source, node: node,
		uplink: loader.NewUplink(cfg.UplinkBps / 8), ready: make(chan struct{}), rateAt: time.Now(),
	}
	s.engine, err = loader.New(loader.Config{
		Role: loader.RoleSeeder, Source: source, SwarmID: cfg.SwarmID, Trackers: named(cfg.Trackers, s.session),
		MaxPeers: cfg.MaxPeers, StoreBytes: cfg.CacheBytes, Select: selector(cfg.Renditions),
	}, node, s.uplink, log)
	if err != nil {
		return nil, errors.Join(err, node.Close())
	}
	reg.MustRegister(&collector{s})
	s.admin = admin.New(admin.Config{Listen: cfg.AdminListen, Registerer: reg})
	return s, nil
}

func selector(names []string) func([]manifest.Rendition) []manifest.Rendition {
	if len(names) == 0 {
		return nil
	}
	return func(all []manifest.Rendition) []manifest.Rendition {
		var out []manifest.Rendition
		for _, r := range all {
			if slices.Contains(names, r.Name) {
				out = append(out, r)
			}
		}
		return out
	}
}

// Run holds and uploads until ctx ends, then drains: it withdraws from the
// trackers and serves on until idle or for Config.Drain at most.
func (s *Server) Run(ctx context.Context) error {
	defer s.source.Close()
	// The engine outlives ctx by the time that draining takes.
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var work sync.WaitGroup
	defer work.Wait()
	failed := make(chan error, 2)
	run := func(f func(context.Context) error) {
		work.Go(func() {
			if err := f(live); err != nil {
				failed <- err
			}
		})
	}
	if err := s.admin.Listen(ctx); err != nil {
		return errors.Join(err, s.node.Close())
	}
	run(s.admin.Run)
	run(s.engine.Run)
	for _, t := range s.cfg.Trackers {
		reports, err := report.URLOf(t)
		if err != nil {
			return err
		}
		r := report.New(report.Config{
			URL: reports, Interval: s.cfg.ReportInterval.Std(), Session: s.session, Token: s.cfg.Token,
		}, s.sample, s.log)
		work.Go(func() { r.Run(live) })
		work.Go(func() { s.announceHolding(live, r) })
	}
	close(s.ready)
	s.log.Info("seeder is up", "swarms", "joining", "admin", s.admin.Addr())
	var err error
	select {
	case <-ctx.Done():
		s.log.Info("draining", "atMost", s.cfg.Drain)
		drain, cancel := context.WithTimeout(live, s.cfg.Drain.Std())
		s.engine.Drain(drain)
		cancel()
	case err = <-failed:
	}
	end()
	work.Wait()
	return errors.Join(err, s.node.Close())
}

// announceHolding reports at once when the seeder begins to hold the stream or
// holds all of it: until the tracker knows, it tells viewers not to wait.
func (s *Server) announceHolding(ctx context.Context, r *report.Reporter) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	some := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, known := 0, 0
		status := s.engine.Status()
		for _, rendition := range status.Renditions {
			held += rendition.Held
			known += rendition.Known
		}
		if held > 0 && !some {
			some = true
			r.Soon()
		}
		if known > 0 && held == known {
			r.Soon()
			return
		}
	}
}

// Ready is closed once the seeder runs. It does not wait for the origin: an
// origin outage must not cut the mesh.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the address of the admin listener; nil if there is none.
func (s *Server) Addr() net.Addr { return s.admin.Addr() }

// Engine gives access to what the seeder holds, for programs that run it in
// their own process.
func (s *Server) Engine() *loader.Engine { return s.engine }

// named adds the session to tracker URLs: it tells our tracker which of its
// sockets a report of load is about, and means nothing to other trackers.
func named(trackers []string, session string) []string {
	out := make([]string, 0, len(trackers))
	for _, t := range trackers {
		if u, err := url.Parse(t); err == nil {
			q := u.Query()
			q.Set("session", session)
			u.RawQuery = q.Encode()
			t = u.String()
		}
		out = append(out, t)
	}
	return out
}

func sessionID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// sample is the seeder's report.
func (s *Server) sample() telemetry.Report {
	status, c := s.engine.Status(), s.engine.Counters()
	state := &telemetry.SeederState{
		Peers: status.Peers, MaxPeers: s.cfg.MaxPeers,
		UplinkBps: s.rate(), UplinkLimitBps: s.cfg.UplinkBps,
	}
	for _, r := range status.Renditions {
		if len(state.Renditions) == telemetry.MaxRenditions {
			break
		}
		state.Renditions = append(state.Renditions, telemetry.HeldRendition{
			Name: r.Name, HeldEdge: max(r.HeldEdge, 0), Segments: r.Held, KnownEdge: max(r.NewestKnown, 0),
		})
	}
	return telemetry.Report{
		Role:     telemetry.RoleSeeder,
		Counters: telemetry.Counters{HTTP: c.HTTP, Seeder: c.Seeder, Viewer: c.Viewer, Discarded: c.Discarded, Uploaded: c.Uploaded},
		Peers:    status.Peers, Seeder: state,
	}
}

// rate is the upload rate since the last call, in bits per second.
func (s *Server) rate() int64 {
	s.rateMu.Lock()
	defer s.rateMu.Unlock()
	now, sent := time.Now(), s.uplink.Sent()
	if elapsed := now.Sub(s.rateAt); elapsed >= time.Second {
		s.rateBps = int64(float64(8*(sent-s.rateSent)) / elapsed.Seconds())
		s.rateAt, s.rateSent = now, sent
	}
	return s.rateBps
}

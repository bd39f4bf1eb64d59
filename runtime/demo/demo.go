// Package demo runs a whole stream in one process: origin, tracker, STUN,
// seeders and viewers, each the same program as on a cluster.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/sitespec"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/stun"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// Defaults of Config.
const (
	DefaultListen  = "127.0.0.1:8090"
	DefaultViewers = 6
	// seederWait is how long the viewers' start is delayed at most until the seeders hold the stream.
	seederWait = 20 * time.Second
)

// Config is the configuration of a demo.
type Config struct {
	// Stream is the stream to run; nil runs a test origin and streams from that.
	Stream *v1.P2PStream
	// Viewers is the number of synthetic viewers.
	Viewers int
	// Listen is the host:port of the tracker and its pages.
	Listen string
	// Duration is how long the demo runs; 0 means until it is stopped.
	Duration time.Duration
	// Out is where the live table is printed.
	Out io.Writer
}

// Validate returns an error for the first invalid field.
func (c Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen: %q is not host:port; use %s", c.Listen, DefaultListen)
	}
	if c.Viewers < 0 || c.Viewers > 200 {
		return fmt.Errorf("--viewers: %d is out of range; use 0 to 200", c.Viewers)
	}
	return nil
}

// Server is a demo.
type Server struct {
	cfg   Config
	log   *slog.Logger
	ready chan struct{}

	tracker *tracker.Server
	viewers *viewer.Server
}

// New returns a demo; nothing is started before Run.
func New(cfg Config, log *slog.Logger, _ prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Out == nil {
		cfg.Out = io.Discard
	}
	return &Server{cfg: cfg, log: log, ready: make(chan struct{})}, nil
}

// program is one part of the demo.
type program interface {
	Run(context.Context) error
	Ready() <-chan struct{}
}

// group runs programs; the first failure stops all of them.
type group struct {
	ctx  context.Context
	stop context.CancelCauseFunc
	work sync.WaitGroup
}

func (g *group) start(name string, p program) error {
	g.work.Go(func() {
		if err := p.Run(g.ctx); err != nil {
			g.stop(fmt.Errorf("running %s: %w", name, err))
		}
	})
	select {
	case <-p.Ready():
		return nil
	case <-g.ctx.Done():
		return context.Cause(g.ctx)
	}
}

// Run runs everything until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	if s.cfg.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.Duration)
		defer cancel()
	}
	g := &group{}
	g.ctx, g.stop = context.WithCancelCause(ctx)
	defer g.work.Wait()
	defer g.stop(nil)
	err := s.startAll(g)
	if err == nil {
		close(s.ready)
		s.showTable(g.ctx)
		err = context.Cause(g.ctx)
	}
	// The end of ctx, by a signal or the duration, is not a failure. The failure of a program is the cause of g.ctx only.
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return nil
	}
	return err
}

// Ready is closed once everything runs.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the address of the tracker and its pages; after Ready.
func (s *Server) Addr() net.Addr { return s.tracker.Addr() }

// Snapshot is what the synthetic viewers measured so far; after Ready.
func (s *Server) Snapshot() viewer.Report { return s.viewers.Snapshot() }

func (s *Server) startAll(g *group) error {
	stream := s.cfg.Stream
	if stream == nil {
		o, err := origin.New(origin.Config{Listen: "127.0.0.1:0"}, s.log, nil)
		if err != nil {
			return fmt.Errorf("making origin: %w", err)
		}
		if err := g.start("origin", o); err != nil {
			return err
		}
		stream = &v1.P2PStream{}
		stream.Name = "demo"
		stream.Spec.SwarmID = "demo"
		stream.Spec.Source.URL = v1.URL("http://" + o.Addr().String() + "/live/master.m3u8")
	}
	s.cfg.Stream = stream
	spec := stream.Spec.WithDefaults()

	var servers []string
	if *spec.STUN.Enabled {
		st, err := stun.New(stun.Config{Listen: "127.0.0.1:0"}, s.log, nil)
		if err != nil {
			return fmt.Errorf("making STUN server: %w", err)
		}
		if err := g.start("STUN server", st); err != nil {
			return err
		}
		servers = []string{"stun:" + st.Addr().String()}
	}
	token, err := newToken()
	if err != nil {
		return err
	}
	s.tracker, err = tracker.New(trackerConfig(s.cfg.Listen, spec, servers, token), s.log, nil)
	if err != nil {
		return fmt.Errorf("making tracker: %w", err)
	}
	if err := g.start("tracker", s.tracker); err != nil {
		return err
	}
	for i := range *spec.Seeders.Replicas {
		cfg, err := seederConfig(s.tracker.Addr(), spec, token)
		if err != nil {
			return err
		}
		sd, err := seeder.New(cfg, s.log.With("seeder", i), nil)
		if err != nil {
			return fmt.Errorf("making seeder: %w", err)
		}
		if err := g.start("seeder", sd); err != nil {
			return err
		}
	}
	s.awaitSeeders(g.ctx)
	return s.startViewers(g)
}

// awaitSeeders waits until the seeders hold the stream, at most seederWait: in
// production, seeders are running before an event starts too.
func (s *Server) awaitSeeders(ctx context.Context) {
	if *s.cfg.Stream.Spec.WithDefaults().Seeders.Replicas == 0 {
		return
	}
	s.print("Waiting for the seeder to download the stream …\n")
	ctx, cancel := context.WithTimeout(ctx, seederWait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if stats, err := s.stats(ctx); err == nil && stats.SeedersHold {
			return
		}
		select {
		case <-ctx.Done():
			s.print("The seeder does not hold the stream yet; starting the viewers anyway.\n")
			return
		case <-tick.C:
		}
	}
}

func (s *Server) startViewers(g *group) error {
	if s.cfg.Viewers == 0 {
		return nil
	}
	var err error
	s.viewers, err = viewer.New(viewer.Config{
		ConfigURL: s.url("/v1/config"), Count: s.cfg.Viewers, Loopback: true,
		JoinInterval: duration.Duration(500 * time.Millisecond),
	}, s.log, nil)
	if err != nil {
		return fmt.Errorf("making viewers: %w", err)
	}
	return g.start("viewers", s.viewers)
}

func (s *Server) url(path string) string { return "http://" + s.tracker.Addr().String() + path }

func trackerConfig(listen string, spec v1.P2PStreamSpec, servers []string, token string) tracker.Config {
	cfg := tracker.Config{
		Listen: listen, SeederToken: token, DrainPeriod: tracker.Duration(100 * time.Millisecond),
		AllowLoopbackCandidates: true, // its peers are on this machine, whatever it listens on
		Stream: &tracker.StreamConfig{
			SourceURL: string(spec.Source.URL), SeederURL: string(spec.Source.SeederURL), SwarmID: swarmID(spec),
			STUN: servers, TelemetryInterval: tracker.Duration(spec.Telemetry.Interval.Duration),
			DisableP2P: !*spec.Viewers.P2P, DisableUpload: !*spec.Viewers.Upload,
		},
	}
	if spec.Sites != nil { // the ConfigMap of a map is on a cluster
		cfg.Sites = &tracker.SitesConfig{Config: sitespec.Config(spec.Sites)}
	}
	if a := spec.Tracker.ClientAddress; a != nil && len(a.TrustedProxies) > 0 {
		cfg.ClientAddress.From = string(a.From)
		for _, r := range a.TrustedProxies {
			cfg.ClientAddress.TrustedProxies = append(cfg.ClientAddress.TrustedProxies, string(r))
		}
	}
	for _, o := range spec.Tracker.AllowedOrigins {
		cfg.AllowedOrigins = append(cfg.AllowedOrigins, string(o))
	}
	for _, r := range spec.Tracker.CandidateRanges {
		cfg.CandidateRanges = append(cfg.CandidateRanges, string(r))
	}
	return cfg
}

// swarmID returns the swarm id for tracker and seeders. If seeders fetch from another URL than players, it is derived
// from the players' URL, so that both join the same swarms.
func swarmID(spec v1.P2PStreamSpec) string {
	if spec.SwarmID == "" && spec.Source.SeederURL != spec.Source.URL {
		return identity.DefaultSwarmID(string(spec.Source.URL))
	}
	return spec.SwarmID
}

func seederConfig(trackerAddr net.Addr, spec v1.P2PStreamSpec, token string) (seeder.Config, error) {
	cfg := seeder.Config{
		Source: string(spec.Source.SeederURL), SwarmID: swarmID(spec),
		Trackers: []string{"ws://" + trackerAddr.String() + "/announce"}, Token: token,
		MaxPeers: int(*spec.Seeders.MaxPeers), CacheBytes: spec.Seeders.CacheSize.Value(),
		Renditions: spec.Seeders.Renditions, Loopback: true,
		Drain: duration.Duration(100 * time.Millisecond), ReportInterval: duration.Duration(2 * time.Second),
	}
	var err error
	if cfg.UplinkBps, err = spec.Seeders.Uplink.BitsPerSecond(); err != nil {
		return cfg, fmt.Errorf("reading spec.seeders.uplink: %w", err)
	}
	return cfg, nil
}

func newToken() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("making seeder token: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

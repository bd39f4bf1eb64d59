package seeder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/upload"
)

// Server is one seeder of one stream.
type Server struct {
	cfg     Config
	session string // identifies this run in reports and to trackers
	log     *slog.Logger
	reg     prometheus.Registerer
	token   *watch.Value[string] // nil without a file
	uplink  *upload.Uplink
	source  *manifest.Source
	admin   *admin.Server
	running chan struct{} // closed once it runs

	open          chan struct{} // closed once the UDP port is bound and the fields below are set
	node          *mesh.Node
	engine        *loader.Engine
	reporters     []*report.Reporter
	hashReporters []*hashes.Reporter

	names *naming

	accepted, draining atomic.Bool

	rateMu   sync.Mutex
	rateAt   time.Time
	rateSent int64
	rateBps  int64
}

// New returns a seeder; nothing is fetched or joined before Run. The UDP port is
// bound, unless its place has to be read from Config.ICEPortsFile or Config.AdvertiseFile.
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
	s := &Server{
		cfg: cfg, session: sessionID(cfg.Ordinal), log: log, reg: reg, uplink: upload.NewUplink(cfg.UplinkBps / 8),
		running: make(chan struct{}), open: make(chan struct{}), rateAt: time.Now(),
	}
	if cfg.JoinFile != "" {
		if err := s.useJoinFile(); err != nil {
			return nil, err
		}
		cfg = s.cfg
	}
	s.names = newNaming(func(id string) { s.engine.TakeSwarmID(id) }, cfg.ReportInterval.Std())
	if cfg.Token == "" && cfg.TokenFile != "" {
		s.token = watch.New("seeder token", log, readToken(cfg.TokenFile), cfg.TokenFile)
		if _, err := s.token.Get(); err != nil {
			return nil, fmt.Errorf("reading config.tokenFile: %w", err)
		}
	}
	var err error
	if s.source, err = manifest.NewSource(manifest.SourceConfig{
		SecondLook: true,
		URL:        cfg.Source, Format: cfg.Format, HeadersDir: cfg.HeadersDir, CAFile: cfg.CAFile, SignedPaths: cfg.SignedPaths,
		Logger: log, Registerer: reg,
	}); err != nil {
		return nil, fmt.Errorf("creating source: %w", err)
	}
	if !listed(cfg) {
		if err := s.bind(cfg.ICEListen, cfg.Advertise); err != nil {
			return nil, err
		}
	}
	reg.MustRegister(&collector{s}, loader.NewCollector(func() []*loader.Engine {
		if !s.isOpen() {
			return nil
		}
		return []*loader.Engine{s.engine}
	}))
	s.admin = admin.New(admin.Config{Listen: cfg.AdminListen, Registerer: reg, Ready: s.ready})
	return s, nil
}

// bind binds the UDP port and creates everything that needs it.
func (s *Server) bind(iceListen string, advertise []string) error {
	node, err := mesh.NewNode(mesh.NodeConfig{
		ICEServers: s.cfg.STUN, Listen: iceListen, Advertise: advertise, Token: s.tokenFor,
		OneSocketPerSwarm: s.cfg.OneSocketPerSwarm, Loopback: s.cfg.Loopback, MaxPeers: s.cfg.MaxPeers,
	}, s.log, s.reg)
	if err != nil {
		return fmt.Errorf("creating WebRTC node: %w", err)
	}
	generations, err := identity.ParseGenerations(s.cfg.Generations)
	if err != nil {
		return errors.Join(err, node.Close())
	}
	engine, err := loader.New(loader.Config{
		Generations: generations,
		Role:        loader.RoleSeeder, Edge: s.cfg.Site != "", PeerIDPrefix: s.cfg.PeerIDPrefix, Source: s.source, SwarmID: s.cfg.SwarmID, Trackers: slices.Concat(withSession(s.cfg.Trackers, s.session, s.cfg.Site), s.cfg.ForeignTrackers),
		MaxPeers: s.cfg.MaxPeers, StoreBytes: s.cfg.CacheBytes, Select: selector(s.cfg.Renditions), NewEvent: s.newEvent,
		SuperSeeding: superseed.Mode(s.cfg.SuperSeeding),
	}, node, s.uplink, s.log)
	if err != nil {
		return errors.Join(err, node.Close())
	}
	if err := s.useHashes(engine); err != nil {
		return errors.Join(err, node.Close())
	}
	for _, t := range s.cfg.Trackers {
		reports, err := report.URLOf(t)
		if err != nil {
			return errors.Join(err, node.Close())
		}
		s.reporters = append(s.reporters, report.New(report.Config{
			URL: reports, Interval: s.cfg.ReportInterval.Std(), Session: s.session, Token: s.currentToken,
			Answered: s.answers(t),
		}, s.sample, s.log))
	}
	s.node, s.engine = node, engine
	close(s.open)
	return nil
}

// tokenMaxAge is how old the last check of the token's file may be when the token is used.
const tokenMaxAge = 2 * time.Second

// tokenFor keeps the token from foreign trackers: its holder is trusted as a seeder.
func (s *Server) tokenFor(tracker string) string {
	if slices.Contains(s.cfg.ForeignTrackers, tracker) {
		return ""
	}
	return s.currentToken()
}

func (s *Server) currentToken() string {
	if s.token == nil {
		return s.cfg.Token
	}
	token, _ := s.token.Recent(tokenMaxAge) // New has read one
	return token
}

func readToken(file string) func() (string, error) {
	return func() (string, error) {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		token, _, _ := strings.Cut(string(b), "\n")
		if token = strings.TrimSpace(token); token == "" {
			return "", fmt.Errorf("%s: first line is empty", file)
		}
		return token, nil
	}
}

// Run holds and uploads until ctx ends, then drains: it leaves the trackers, tells
// peers that it holds nothing, and completes the uploads that were requested, for
// Config.Drain at most.
func (s *Server) Run(ctx context.Context) error {
	defer s.source.Close()
	// The engine outlives ctx: draining takes time.
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
		return errors.Join(err, s.close())
	}
	run(s.admin.Run)
	moved := make(chan struct{}) // closed when another place is listed
	if listed(s.cfg) {
		at, err := s.bindListed(ctx)
		if err != nil {
			end()
			if ctx.Err() != nil {
				return nil // stopped before there was anything to drain
			}
			return err
		}
		work.Go(func() {
			if to, ok := placeMoved(live, s.cfg, systemLookup, at); ok {
				s.log.Warn("the listed UDP port or address changed; stopping to restart with it",
					"from", at.port, "to", to.port, "fromAddresses", at.addresses, "toAddresses", to.addresses)
				close(moved)
			}
		})
	}
	run(s.engine.Run)
	for _, r := range s.reporters {
		work.Go(func() { r.Run(live) })
		work.Go(func() { s.reportProgress(live, r) })
	}
	for _, r := range s.hashReporters {
		work.Go(func() { r.Run(live) })
	}
	close(s.running)
	s.log.Info("seeder is ready", "swarms", "joining", "udp", fmt.Sprint(s.node.Addrs()), "admin", s.admin.Addr())
	var err error
	select {
	case <-ctx.Done():
		s.drain(live)
	case <-moved:
		s.drain(live)
	case err = <-failed:
	}
	end()
	work.Wait()
	return errors.Join(err, s.close())
}

// bindListed waits for the seeder's place to be listed and binds its port.
func (s *Server) bindListed(ctx context.Context) (place, error) {
	at, err := awaitPlace(ctx, s.cfg, systemLookup, s.log)
	if err != nil {
		return at, err
	}
	listen := s.cfg.ICEListen
	if at.port != 0 {
		listen = withPort(listen, at.port)
	}
	return at, s.bind(listen, at.addresses)
}

// drain lets uploads end: at once if no peer is connected, within a moment if no
// peer downloads anything.
func (s *Server) drain(live context.Context) {
	s.draining.Store(true)
	s.log.Info("seeder is draining", "peers", s.engine.Peers(), "uploads", s.uplink.Active(), "atMost", s.cfg.Drain)
	for _, r := range s.reporters {
		r.ReportNow()
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(live, s.cfg.Drain.Std())
	defer cancel()
	s.engine.Drain(limited)
	s.log.Info("seeder has drained", "peers", s.engine.Peers(), "uploads", s.uplink.Active(), "took", time.Since(began).Round(time.Millisecond))
}

func (s *Server) close() error {
	if s.node == nil {
		return nil
	}
	return s.node.Close()
}

// Ready is closed once the seeder runs. It does not wait for the origin: an
// origin outage must not cut the mesh.
func (s *Server) Ready() <-chan struct{} { return s.running }

// Addr is the address of the admin listener; nil if there is none.
func (s *Server) Addr() net.Addr { return s.admin.Addr() }

// Engine gives access to what the seeder holds, for programs that run it in
// their own process; where its place is read from a file, it is nil before Ready.
func (s *Server) Engine() *loader.Engine { return s.engine }

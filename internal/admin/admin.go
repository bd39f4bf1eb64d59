// Package admin serves what operators and probes ask of every program, on a
// listener apart from the one that strangers reach: /metrics, /healthz, /readyz.
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

// Config says what an admin listener serves.
type Config struct {
	// Listen is host:port; empty: no listener at all.
	Listen string
	// Registerer is what /metrics shows, if it can be gathered from.
	Registerer prometheus.Registerer
	// Ready says why the program is not ready; nil: it always is.
	Ready func(context.Context) error
	// Pages are served beside those that every program has, by their patterns as http.ServeMux reads them.
	Pages map[string]http.Handler
	// Pprof adds /debug/pprof/.
	Pprof bool
}

// Server is an admin listener, or nothing if it was given no address.
type Server struct {
	cfg      Config
	server   *http.Server
	listener atomic.Pointer[net.Listener] // nil until Listen
}

// New makes an admin server; it binds nothing.
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

func ok(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok\n") } // the prober is gone if this fails

// Listen binds the address.
func (s *Server) Listen(ctx context.Context) error {
	if s.cfg.Listen == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for admin: %w", err)
	}
	s.listener.Store(&l)
	return nil
}

// Addr is the bound address; nil before Listen and without an address. It may be asked at any time.
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
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() }) // probes and scrapes are asked again
	defer stop()
	if err := s.server.Serve(*l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving admin: %w", err)
	}
	return nil
}

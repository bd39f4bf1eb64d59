// Package admin serves what operators and probes ask of every program, on a
// listener apart from the one that strangers reach: /metrics, /healthz, /readyz.
package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Server is an admin listener, or nothing if it was given no address.
type Server struct {
	listen   string
	handler  *http.ServeMux
	listener net.Listener
}

// New makes an admin server for listen (host:port; empty: none). /metrics shows reg
// if that can be gathered from.
func New(listen string, reg prometheus.Registerer) *Server {
	mux := http.NewServeMux()
	if g, ok := reg.(prometheus.Gatherer); ok {
		mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	}
	ok := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) } // the prober is gone if this fails
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	return &Server{listen: listen, handler: mux}
}

// Handle adds a page or replaces one of the defaults' patterns; before Listen.
func (s *Server) Handle(pattern string, h http.Handler) { s.handler.Handle(pattern, h) }

// Listen binds the address.
func (s *Server) Listen(ctx context.Context) error {
	if s.listen == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("listening for admin requests on %s: %w", s.listen, err)
	}
	s.listener = l
	return nil
}

// Addr is the bound address; nil before Listen and without an address.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	if s.listener == nil {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{
		Handler: s.handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // closing listeners only
	defer stop()
	if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving admin requests: %w", err)
	}
	return nil
}

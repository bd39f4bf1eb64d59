package stun

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

const (
	readyTimeout    = 2 * time.Second
	shutdownTimeout = 2 * time.Second
)

// listenAdmin binds the admin address; nil when there is none.
func (s *Server) listenAdmin(ctx context.Context) (net.Listener, error) {
	if s.cfg.AdminListen == "" {
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.cfg.AdminListen)
	if err != nil {
		return nil, fmt.Errorf("listening on adminListen: %w", err)
	}
	return ln, nil
}

// serveAdmin serves the admin endpoints until ctx is cancelled.
func (s *Server) serveAdmin(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{Handler: s.adminHandler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() {
		done, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		if srv.Shutdown(done) != nil {
			_ = srv.Close() // the polite way took too long
		}
	})
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving adminListen: %w", err)
	}
	return nil
}

// adminHandler serves /healthz (the process runs), /readyz (a request over UDP
// to this very server is answered) and, when the registry can be read, /metrics.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n")) // the prober is gone if this fails
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if _, err := Probe(ctx, s.self.String()); err != nil {
			http.Error(w, "not answering: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // as above
	})
	if g, ok := s.reg.(prometheus.Gatherer); ok {
		mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{}))
	}
	return mux
}

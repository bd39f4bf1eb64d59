package tracker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// Time limits of a request: for its header, for all of it (a report has one to three packets) and for its answer; how
// long an idle connection is kept; and the size limit of headers.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 15 * time.Second
	answerTimeout  = 30 * time.Second
	keepTimeout    = 60 * time.Second
	headerBytes    = 16 << 10
)

// endpoint is one listener for viewers and seeders.
type endpoint struct {
	net.Listener
	server *http.Server
}

// listen binds an endpoint. The internal one differs in having no TLS, and in the URLs that its answers contain.
func (s *Server) listen(ctx context.Context, address string, internal bool) (*endpoint, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	accepted := newConnections(l, s.cfg.Limits, s.connections)
	accepted.source = s.source
	accepted.headers = !internal && s.cfg.ClientAddress.From == config.FromProxyProtocol
	accepted.strange = newStrange(s.log)
	if !internal {
		s.accepted = accepted
	}
	e := &endpoint{Listener: accepted, server: s.httpServer()}
	watchConnections(e.server)
	switch {
	case internal:
		e.server.BaseContext = func(net.Listener) context.Context { return viewerapi.Internal(context.Background()) }
	case s.cert != nil:
		turns := newHandshakes(s.connections)
		accepted.hellos = turns.hellos
		e.Listener = tls.NewListener(accepted, &tls.Config{
			MinVersion: tls.VersionTLS12,
			// The upgrade to WebSocket is only implemented for HTTP/1.1.
			NextProtos:       []string{"http/1.1"},
			CurvePreferences: curves,
			GetCertificate:   turns.certificate(s.cert.Get),
		})
	}
	return e, nil
}

// httpServer serves viewers and seeders.
func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s.panics.handler(withClients(s.source, s.entrance())),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       keepTimeout,
		MaxHeaderBytes:    headerBytes,
		// Without this the server logs a line for each client error.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// lastRequests is how long running requests may take to finish after the last socket was closed.
const lastRequests = time.Second

// shutdown ends an endpoint, at once if no request is running.
func (e *endpoint) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastRequests)
	defer cancel()
	if err := e.server.Shutdown(ctx); err != nil {
		_ = e.server.Close() // closes connections whose requests still run
	}
}

// serveError adds context to the error of Serve, which is nil after a shutdown.
func serveError(what string, err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", what, err)
}

// adminListener serves metrics, probes and statistics; a draining tracker is not ready. Readiness does not depend on the
// origin: peers that hold the stream can share it while the origin is down.
func (s *Server) adminListener() *admin.Server {
	return admin.New(admin.Config{
		Listen: s.cfg.AdminListen, Registerer: s.reg, Pprof: s.cfg.Pprof,
		Pages: s.adminPages(),
		Ready: func(context.Context) error {
			if s.draining.Load() {
				return errors.New("draining")
			}
			return nil
		},
	})
}

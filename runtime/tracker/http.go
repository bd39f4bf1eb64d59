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

	"golang.org/x/sync/errgroup"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// What a request may take: its header, all of it (a report is one packet or three), and its answer; how long a
// connection is kept for the next one, and how long headers may be.
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

// listen binds an endpoint. The internal one is the same but for TLS, and for the URLs that it hands out.
func (s *Server) listen(ctx context.Context, address string, internal bool) (*endpoint, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	e := &endpoint{Listener: newConnections(l, s.cfg.Limits, s.connections),
		server: s.httpServer()}
	watchConnections(e.server)
	switch {
	case internal:
		e.server.BaseContext = func(net.Listener) context.Context { return viewerapi.Internal(context.Background()) }
	case s.cert != nil:
		e.Listener = tls.NewListener(e.Listener, &tls.Config{
			MinVersion: tls.VersionTLS12,
			// A WebSocket cannot be upgraded to from HTTP/2 here.
			NextProtos:         []string{"http/1.1"},
			GetConfigForClient: newHandshakes(s.connections).begin,
			GetCertificate:     func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.cert.Get() },
		})
	}
	return e, nil
}

// httpServer serves viewers and seeders: the WebSocket at / and /announce (any path, in fact: trackers are asked for
// under all sorts of names), the mounted handler elsewhere.
func (s *Server) httpServer() *http.Server {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case sockets.IsUpgrade(r):
			s.sockets.ServeHTTP(w, r)
		case s.api != nil && r.URL.Path != "/" && r.URL.Path != "/announce":
			s.api.ServeHTTP(w, r)
		case r.URL.Path == "/" || r.URL.Path == "/announce":
			http.Error(w, "this is a WebTorrent tracker; connect with a WebSocket", http.StatusUpgradeRequired)
		default:
			http.NotFound(w, r)
		}
	})
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       keepTimeout,
		MaxHeaderBytes:    headerBytes,
		// The server logs what strangers do wrong, a line each.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
}

// lastRequests is how long requests that run when the last socket has gone may take.
const lastRequests = time.Second

// shutdown ends an endpoint: at once if no request runs.
func (e *endpoint) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastRequests)
	defer cancel()
	if err := e.server.Shutdown(ctx); err != nil {
		_ = e.server.Close() // cuts what is left
	}
}

func served(what string, err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", what, err)
}

func (s *Server) watchFiles(ctx context.Context, group *errgroup.Group) {
	if s.cert != nil {
		group.Go(func() error { s.cert.Run(ctx, watchEvery); return nil })
	}
	if s.token != nil {
		group.Go(func() error { s.token.Run(ctx, watchEvery); return nil })
	}
}

// adminListener serves metrics, probes and statistics; a tracker that drains is not ready. The origin has no part in
// readiness: who holds the stream can share it without.
func (s *Server) adminListener() *admin.Server {
	return admin.New(admin.Config{
		Listen: s.cfg.AdminListen, Registerer: s.reg, Pprof: s.cfg.Pprof,
		Pages: map[string]http.Handler{"GET " + stats.Path: s.stats},
		Ready: func(context.Context) error {
			if s.draining.Load() {
				return errors.New("draining")
			}
			return nil
		},
	})
}

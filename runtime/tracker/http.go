package tracker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/runtime/tracker/front"
)

// spareConnections is how many connections there may be above the number of sockets: requests for pages and
// configuration, and clients that have not said anything yet.
const spareConnections = 1024

// publicServer serves viewers and seeders: the WebSocket at / and /announce (any path, in fact: trackers are asked
// for under all sorts of names), the mounted handler elsewhere.
func (s *Server) publicServer() *http.Server {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case front.IsUpgrade(r):
			s.front.ServeHTTP(w, r)
		case s.api != nil && r.URL.Path != "/" && r.URL.Path != "/announce":
			s.api.ServeHTTP(w, r)
		case r.URL.Path == "/" || r.URL.Path == "/announce":
			http.Error(w, "this is a WebTorrent tracker; connect with a WebSocket", http.StatusUpgradeRequired)
		default:
			http.NotFound(w, r)
		}
	})
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		// The server logs what strangers do wrong, a line each.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	if s.cert != nil {
		server.TLSConfig = &tls.Config{
			MinVersion: tls.VersionTLS12,
			// A WebSocket cannot be upgraded to from HTTP/2 here.
			NextProtos:     []string{"http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.cert.get(), nil },
		}
	}
	return server
}

func (s *Server) serve(server *http.Server, l net.Listener) error {
	if s.cert != nil {
		l = tls.NewListener(l, server.TLSConfig)
	}
	return served("viewers", server.Serve(l))
}

func served(what string, err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", what, err)
}

func (s *Server) watchFiles(ctx context.Context, group *errgroup.Group) {
	if s.cert != nil {
		group.Go(func() error { s.cert.run(ctx, watchEvery); return nil })
	}
	if s.token != nil {
		group.Go(func() error { s.token.run(ctx, watchEvery); return nil })
	}
}

// adminListener serves metrics and probes; a tracker that drains is not ready.
func (s *Server) adminListener() *admin.Server {
	return admin.New(admin.Config{Listen: s.cfg.AdminListen, Registerer: s.reg, Pprof: s.cfg.Pprof, Ready: func(context.Context) error {
		if s.draining.Load() {
			return errors.New("draining")
		}
		return nil
	}})
}

// limitListener bounds the connections that are open at a time; those above are closed at once, so that strangers
// who open connections and say nothing cannot use up the process's descriptors.
type limitListener struct {
	net.Listener
	most int64
	open atomic.Int64
}

func newLimitListener(l net.Listener, most int) *limitListener {
	return &limitListener{Listener: l, most: int64(most)}
}

// Accept implements net.Listener.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) > l.most {
			l.open.Add(-1)
			_ = c.Close() // never used
			continue
		}
		return &limitedConn{Conn: c, l: l}, nil
	}
}

type limitedConn struct {
	net.Conn
	l    *limitListener
	once sync.Once
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.once.Do(func() { c.l.open.Add(-1) })
	return c.Conn.Close()
}

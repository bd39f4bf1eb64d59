package stun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Server is a STUN server. Make it with New and start it with Run, once.
type Server struct {
	cfg     Config
	log     *slog.Logger
	reg     prometheus.Registerer
	metrics *metrics
	limit   *limiter
	epoch   time.Time
	ready   chan struct{}
	addr    *net.UDPAddr // set before ready is closed
	admin   net.Addr     // likewise; nil without an admin listener

	// self is the address that the readiness probe uses; tests override it.
	self netip.AddrPort
}

// New checks cfg and returns a server that has not bound anything yet. A nil
// logger discards; a nil registry keeps the metrics private.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	s := &Server{
		cfg:   cfg,
		log:   log,
		reg:   reg,
		limit: newLimiter(cfg.RatePerSource, cfg.BurstPerSource, cfg.RateTableSize),
		epoch: time.Now(),
		ready: make(chan struct{}),
	}
	m, err := newMetrics(reg, s.limit)
	if err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	s.metrics = m
	return s, nil
}

// Ready is closed once every socket listens.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the UDP address, whose port is the TCP port too; nil before Ready.
func (s *Server) Addr() net.Addr {
	select {
	case <-s.ready:
		return s.addr
	default:
		return nil
	}
}

// AdminAddr is where the admin endpoints are; valid once Ready, nil without them.
func (s *Server) AdminAddr() net.Addr { return s.admin }

// Run listens and answers until ctx is cancelled and Config.Drain is over, then
// returns nil once all its goroutines have ended. An error names the socket that
// failed.
func (s *Server) Run(ctx context.Context) error {
	l, err := listen(ctx, s.cfg.Listen, s.cfg.Readers)
	if err != nil {
		return err
	}
	admin := s.newAdmin()
	if err := admin.Listen(ctx); err != nil {
		return errors.Join(err, l.close())
	}
	s.addr, s.admin = l.addr, admin.Addr()
	s.self = loopbackOf(l.addr)

	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stopped := ctx
	group, ctx := errgroup.WithContext(live)
	group.Go(func() error {
		s.linger(ctx, stopped)
		end()
		return nil
	})
	for _, conn := range l.udp {
		group.Go(func() error { return s.serveUDP(ctx, conn) })
	}
	tcp := newTCPServer(s)
	for _, ln := range l.tcp {
		group.Go(func() error { return tcp.serve(ctx, ln) })
	}
	group.Go(func() error { return admin.Run(ctx) })
	// Sockets are closed to wake their readers; errors of a second close do not
	// matter.
	closed := sync.OnceFunc(func() { _ = l.close(); tcp.closeAll() })
	stop := context.AfterFunc(ctx, closed)
	s.log.Info("stun server is listening", "addr", l.addr.String(), "udpSockets", len(l.udp), "tcpSockets", len(l.tcp))
	close(s.ready)

	err = group.Wait()
	stop()
	closed()
	s.log.Info("stun server has stopped")
	return err
}

// linger returns when the server was stopped and has drained, or when live ends
// before that. An answer is one packet, so no work is left to finish; but viewers
// that were configured with this server keep using it for a while, and a browser
// loses five seconds for a request without an answer. The server stays ready
// meanwhile, because only then does Kubernetes route packets to a node whose last
// STUN pod is this one; if there are other pods, they get the packets (KEP-1669).
func (s *Server) linger(live, stopped context.Context) {
	select {
	case <-stopped.Done():
	case <-live.Done():
		return
	}
	if s.cfg.Drain == 0 {
		return
	}
	s.log.Info("stun server drains", "period", s.cfg.Drain)
	over := time.NewTimer(s.cfg.Drain.Std())
	defer over.Stop()
	select {
	case <-over.C:
	case <-live.Done():
	}
}

// now returns the nanoseconds since the server was created; it never decreases.
func (s *Server) now() int64 { return int64(time.Since(s.epoch)) }

package tracker

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/internal/memory"
	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
)

// Server is one tracker: the listeners, and what all its streams have in common.
type Server struct {
	cfg     Config
	log     *slog.Logger
	reg     prometheus.Registerer // what /metrics serves
	sockets *sockets.Server
	// connections counts connections that are not WebSockets.
	connections *connectionMetrics
	accepted    *connections // of the public listener; set by Run
	panics      *panics
	cert        *watch.Value[*tls.Certificate] // nil without TLS
	token       *watch.Value[[]string]         // nil without a token file
	writers     *watch.Value[[]string]         // tokens of who changes the table; nil without a table
	operators   *watch.Value[[]doors.Hash]     // of tokens of operators; nil without a list
	source      *addresses.Source              // of clients' addresses; nil: the sockets
	sites       *watch.Value[siteMap]          // nil without sites
	stun        *stunWatch                     // nil without servers
	keys        *keyring                       // of tickets
	streams     *streams
	histories   *histories
	arrivals    *arrivals
	watched     []watcher // files that are read again

	ready    chan struct{}
	draining atomic.Bool
	addr     net.Addr
	internal net.Addr
	admin    net.Addr
}

// New validates the configuration and builds a tracker. It reads the certificate, the tokens and the table of streams, and
// binds no listener. log and reg may be nil. /metrics serves reg if it is a prometheus.Gatherer.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("checking configuration: %w", err)
	}
	cfg.Limits.HeldBytes, cfg.Limits.HistoryBytes = heldLimit(cfg, memory.Limit()), historyLimit(cfg, memory.Limit())
	cfg = cfg.WithDefaults(runtime.GOMAXPROCS(0))
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	s := &Server{cfg: cfg, log: log, reg: reg, ready: make(chan struct{})}
	var err error
	if s.arrivals, err = newArrivals(reg); err != nil {
		return nil, err
	}
	for _, step := range []func() error{s.readSecrets, s.newPanics, s.newKeyring, s.newConnections, s.newSites, s.newSTUN, s.newSockets, s.newHistories, s.newStreams} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readSecrets reads the certificate and the tokens, and has them read again when they change.
func (s *Server) readSecrets() (err error) {
	if s.cfg.TLSCert != "" {
		if s.cert, err = watchCertificate(s.cfg, s.log); err != nil {
			return err
		}
		if err := s.reg.Register(newCertificateMetric(s.cert.Get)); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
		s.watched = append(s.watched, s.cert.Run)
	}
	if s.cfg.SeederTokenFile != "" {
		if s.token, err = watchToken(s.cfg.SeederTokenFile, s.log); err != nil {
			return err
		}
		s.watched = append(s.watched, s.token.Run)
	}
	if s.cfg.OperatorsFile != "" {
		if s.operators, err = watchOperators(s.cfg.OperatorsFile, s.log); err != nil {
			return err
		}
		s.watched = append(s.watched, s.operators.Run)
	}
	if s.cfg.Streams != nil {
		if s.writers, err = watchWriters(s.cfg.Streams.TokenFile, s.log); err != nil {
			return err
		}
		s.watched = append(s.watched, s.writers.Run)
	}
	return nil
}

func (s *Server) newPanics() (err error) {
	s.panics, err = newPanics(s.log, s.reg)
	return err
}

func (s *Server) newConnections() (err error) {
	if s.connections, err = newConnectionMetrics(s.reg); err != nil {
		return err
	}
	s.source, err = newSource(s.cfg.ClientAddress, s.reg)
	return err
}

func (s *Server) newSockets() (err error) {
	l := s.cfg.Limits
	s.sockets, err = sockets.New(sockets.Config{
		MessageBytes: l.MessageBytes, SendQueueBytes: l.SendQueueBytes, HeldBytes: int64(l.HeldBytes), Sockets: l.Sockets,
		SocketsPerAddress: l.SocketsPerAddress, UpgradesPerSecond: l.UpgradesPerSecond, UpgradeBurst: l.UpgradeBurst,
		AddressUpgradesPerSecond: l.AddressUpgradesPerSecond, AddressUpgradeBurst: l.AddressUpgradeBurst,
		BytesPerSecond: l.BytesPerSecond, ByteBurst: l.ByteBurst,
		WriteTimeout: l.WriteTimeout.Std(), PingInterval: l.PingInterval.Std(),
		FirstMessageTimeout: l.FirstMessageTimeout.Std(), IdleTimeout: l.IdleTimeout.Std(),
		MessageTimeout: l.MessageTimeout.Std(), Route: s.group, Panicked: s.panics.recovered,
	}, s.log, s.reg)
	return err
}

// SeederToken returns the current token of seeders of all streams; it changes when its file does.
func (s *Server) SeederToken() string {
	if all := s.seederTokens(); len(all) > 0 {
		return all[0]
	}
	return ""
}

// seederTokens returns the tokens that are accepted for all streams, the current one first.
func (s *Server) seederTokens() []string {
	if s.token != nil {
		all, _ := s.token.Get() // New has read the first ones
		return all
	}
	if s.cfg.SeederToken == "" {
		return nil
	}
	return []string{s.cfg.SeederToken}
}

// Ready is closed once the tracker listens.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr is the address of the public listener; valid once Ready.
func (s *Server) Addr() net.Addr { return s.addr }

// AdminAddr is the address of the admin listener; valid once Ready, nil without one.
func (s *Server) AdminAddr() net.Addr { return s.admin }

// InternalAddr is the address of the internal listener; valid once Ready, nil without one.
func (s *Server) InternalAddr() net.Addr { return s.internal }

// bind binds all listeners or none. The admin listener comes last, so that the tracker is usable once it reports ready.
func (s *Server) bind(ctx context.Context) (endpoints []*endpoint, probes *admin.Server, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, e := range endpoints {
			_ = e.Close() // the error of binding is the one to report
		}
	}()
	public, err := s.listen(ctx, s.cfg.Listen, false)
	if err != nil {
		return endpoints, nil, fmt.Errorf("listening for viewers: %w", err)
	}
	endpoints = append(endpoints, public)
	s.addr = public.Addr()
	if s.cfg.InternalListen != "" {
		internal, err := s.listen(ctx, s.cfg.InternalListen, true)
		if err != nil {
			return endpoints, nil, fmt.Errorf("listening for clients inside the cluster: %w", err)
		}
		endpoints = append(endpoints, internal)
		s.internal = internal.Addr()
	}
	probes = s.adminListener()
	if err := probes.Listen(ctx); err != nil {
		return endpoints, nil, err
	}
	s.admin = probes.Addr()
	return endpoints, probes, nil
}

// Run listens and serves until ctx ends and all sockets are drained, then returns nil.
func (s *Server) Run(ctx context.Context) error {
	endpoints, probes, err := s.bind(ctx)
	if err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	for _, e := range endpoints {
		group.Go(func() error { return serveError("viewers", e.server.Serve(e)) })
	}
	// The admin listener ends last, so that probes see the drain.
	probing, endProbes := context.WithCancel(context.WithoutCancel(ctx))
	defer endProbes()
	group.Go(func() error { return probes.Run(probing) })
	for _, run := range s.watched {
		group.Go(func() error { run(running, watchEvery); return nil })
	}
	group.Go(func() error { s.stun.run(running); return nil })
	s.streams.open(running)
	group.Go(func() error { return s.streams.run(running) })
	group.Go(func() error { s.streams.record(running); return nil })
	// Sockets are closed only after the tracker has reported that it is draining.
	keeping, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	sockets := make(chan struct{})
	go func() {
		defer close(sockets)
		s.sockets.Run(keeping, s.cfg.DrainPeriod.Std())
	}()
	close(s.ready)
	s.log.Info("tracker is listening", "address", s.addr.String(), "internal", s.cfg.InternalListen, "admin", s.cfg.AdminListen,
		"tls", s.cert != nil, "streams", s.streams.count(), "shards", s.cfg.Shards)

	<-running.Done()
	s.drain(ctx, endpoints, func() {
		hangUp()
		<-sockets
	})
	s.streams.stop()
	endProbes()
	return group.Wait()
}

// drain ends the endpoints when the last socket is closed, at once if there is none. Until then requests are answered,
// each on a new connection: clients that are still routed here get an answer, and reconnect to another tracker.
func (s *Server) drain(ctx context.Context, endpoints []*endpoint, hangUp func()) {
	s.sockets.Refuse() // first, so that no client is accepted after the tracker has reported that it is draining
	s.draining.Store(true)
	s.log.Info("tracker drains", "viewers", s.sockets.Viewers(), "seeders", s.sockets.Seeders(), "period", s.cfg.DrainPeriod)
	for _, e := range endpoints {
		e.server.SetKeepAlivesEnabled(false)
	}
	hangUp()
	var ending sync.WaitGroup
	for _, e := range endpoints {
		ending.Go(func() { e.shutdown(context.WithoutCancel(ctx)) })
	}
	ending.Wait()
}

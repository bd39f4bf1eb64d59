package tracker

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/internal/memory"
	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// Server is one tracker.
type Server struct {
	cfg     Config
	log     *slog.Logger
	reg     prometheus.Registerer // what /metrics serves
	hub     *hub
	sockets *sockets.Server
	// connections counts connections that are not WebSockets.
	connections *connectionMetrics
	accepted    *connections // of the public listener; set by Run
	panics      *panics
	cert        *watch.Value[*tls.Certificate] // nil without TLS
	token       *watch.Value[[]string]         // nil without a token file
	source      *addresses.Source              // of clients' addresses; nil: the sockets
	sites       *watch.Value[siteMap]          // nil without sites
	origins     doors.Origins
	keys        *keyring           // of tickets
	api         http.Handler       // nil: only the WebSocket endpoint
	viewers     *viewerapi.Handler // the same, as New makes it
	watched     []watcher          // files that are read again
	stats       http.Handler       // /v1/stats on the admin listener
	// background tasks run until Run's context ends.
	background []func(context.Context) error

	ready    chan struct{}
	draining atomic.Bool
	addr     net.Addr
	internal net.Addr
	admin    net.Addr
}

// New validates the configuration and builds a tracker. It reads the certificate and the token, and binds no listener.
// log and reg may be nil. /metrics serves reg if it is a prometheus.Gatherer.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("checking configuration: %w", err)
	}
	cfg.Limits.HeldBytes = heldLimit(cfg, memory.Limit())
	cfg = cfg.WithDefaults(runtime.GOMAXPROCS(0))
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	s := &Server{cfg: cfg, log: log, reg: reg, ready: make(chan struct{})}
	var err error
	if cfg.TLSCert != "" {
		if s.cert, err = watchCertificate(cfg, log); err != nil {
			return nil, err
		}
		if err = reg.Register(newCertificateMetric(s.cert.Get)); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	if cfg.SeederTokenFile != "" {
		if s.token, err = watchToken(cfg, log); err != nil {
			return nil, err
		}
	}
	if s.panics, err = newPanics(log, reg); err != nil {
		return nil, err
	}
	external := ""
	if cfg.Stream != nil {
		external = cfg.Stream.ExternalURL
	}
	s.origins = doors.NewOrigins(cfg.AllowedOrigins, external)
	if s.keys, err = s.newKeyring(); err != nil {
		return nil, err
	}
	if s.hub, err = newHub(cfg, reg); err != nil {
		return nil, err
	}
	for _, shard := range s.hub.shards {
		shard.panics = s.panics
	}
	if s.connections, err = newConnectionMetrics(reg); err != nil {
		return nil, err
	}
	if s.source, err = newSource(cfg.ClientAddress, reg); err != nil {
		return nil, err
	}
	if err = s.newSites(reg); err != nil {
		return nil, err
	}
	if err = registerAddressMetrics(s.hub, reg); err != nil {
		return nil, err
	}
	l := cfg.Limits
	s.sockets, err = sockets.New(sockets.Config{
		MessageBytes: l.MessageBytes, SendQueueBytes: l.SendQueueBytes, HeldBytes: int64(l.HeldBytes), Sockets: l.Sockets,
		SocketsPerAddress: l.SocketsPerAddress, UpgradesPerSecond: l.UpgradesPerSecond, UpgradeBurst: l.UpgradeBurst,
		AddressUpgradesPerSecond: l.AddressUpgradesPerSecond, AddressUpgradeBurst: l.AddressUpgradeBurst,
		BytesPerSecond: l.BytesPerSecond, ByteBurst: l.ByteBurst,
		WriteTimeout: l.WriteTimeout.Std(), PingInterval: l.PingInterval.Std(),
		FirstMessageTimeout: l.FirstMessageTimeout.Std(), IdleTimeout: l.IdleTimeout.Std(),
		MessageTimeout: l.MessageTimeout.Std(), Origin: s.origins.Allow, Tokens: s.seederTokens, Join: s.join, Door: s.door, Panicked: s.panics.recovered,
	}, s.hub, log, reg)
	if err != nil {
		return nil, err
	}
	if err := s.mountViewers(reg); err != nil {
		return nil, err
	}
	return s, nil
}

// Mount adds the handler of the other paths (viewerapi); call it before Run.
func (s *Server) Mount(h http.Handler) { s.api = h }

// SeederToken returns the current token; it changes when its file does.
func (s *Server) SeederToken() string { return s.seederToken() }

func (s *Server) seederToken() string {
	if all := s.seederTokens(); len(all) > 0 {
		return all[0]
	}
	return ""
}

// seederTokens returns the tokens that are accepted, the current one first.
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

// SetAllowed restricts the tracker to the given info hashes (20 bytes each; others are ignored). nil lifts the
// restriction; a new tracker has none.
func (s *Server) SetAllowed(infoHashes []string) {
	if infoHashes == nil {
		s.hub.allow(nil)
		return
	}
	s.hub.allow(idsOf(infoHashes))
}

// SetKnown exempts the swarms of the given info hashes from the limit on swarms.
func (s *Server) SetKnown(infoHashes []string) { s.hub.registry.known.Store(setOf(idsOf(infoHashes))) }

func idsOf(infoHashes []string) []signaling.ID {
	ids := make([]signaling.ID, 0, len(infoHashes))
	for _, h := range infoHashes {
		if id, err := signaling.MakeID(h); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// SetSeederLoad sets a seeder's reported number of peers over all its swarms, and its limit of peers; 0 means that it
// reported none. name is the `session` parameter of the URL that the seeder connected with.
func (s *Server) SetSeederLoad(name string, peers, limit int) { s.hub.setLoad(name, peers, limit) }

// Snapshot implements viewerapi.Swarms.
func (s *Server) Snapshot() []viewerapi.SwarmCount { return s.hub.registry.snapshot() }

// Audience implements viewerapi.Swarms.
func (s *Server) Audience() viewerapi.Audience {
	a := viewerapi.Audience{ViewerSockets: s.sockets.Viewers(), SeederSockets: s.sockets.Seeders()}
	if addr, viewers := s.sockets.OneAddress(); viewers >= manyViewers && !addr.IsLoopback() {
		a.OneAddress = addr.String()
	}
	return a
}

// manyViewers is how many viewers with one address are suspicious: a proxy or a NAT of the cluster may hide theirs.
const manyViewers = 10

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
	s.watchFiles(running, group)
	for _, f := range s.background {
		group.Go(func() error { return f(running) })
	}
	stopShards := s.hub.start()
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
		"tls", s.cert != nil, "shards", len(s.hub.shards))

	<-running.Done()
	s.drain(ctx, endpoints, func() {
		hangUp()
		<-sockets
	})
	stopShards()
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

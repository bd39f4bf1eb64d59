package tracker

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// stream is one stream of a tracker, with all that is its own: swarms, sockets, sessions, figures, limits, and what is known
// of it. A stand-alone tracker has one, with the zero key.
type stream struct {
	server *Server
	key    table.Key
	uid    string
	entry  table.Entry // what it serves, zero in a stand-alone tracker; streams.mu guards it
	cfg    Config      // of the tracker, with what is different for the stream
	log    *slog.Logger
	reg    prometheus.Registerer
	// metrics collects what is registered with reg, if the stream may go; nil in a stand-alone tracker.
	metrics *streamMetrics

	hub     *hub
	group   *sockets.Group
	origins doors.Origins
	viewers *viewerapi.Handler
	// operator serves statistics and the dashboard on the admin listener.
	operator http.Handler
	facts    viewerapi.StreamFacts // nil: it is an open tracker
	// hashes are of tokens of seeders for this stream alone.
	hashes atomic.Pointer[[]doors.Hash]
	// share is the weight of the stream where streams compete.
	share atomic.Int64

	watched    []watcher
	background []func(context.Context) error

	stopShards func()
	cancel     context.CancelFunc
	running    sync.WaitGroup
}

// newStream builds a stream. It has no goroutine before it starts.
func (s *Server) newStream(e table.Entry, cfg Config) (*stream, error) {
	st := &stream{server: s, key: e.Key(), uid: e.UID, entry: e, cfg: cfg, log: s.log, reg: s.reg}
	if st.key != (table.Key{}) {
		st.log = s.log.With("stream", st.key.String())
		st.metrics = newStreamMetrics(st.key)
		st.reg = st.metrics
	}
	hashes, err := e.Hashes()
	if err != nil {
		return nil, err
	}
	st.hashes.Store(&hashes)
	st.share.Store(int64(e.Weight()))
	external := ""
	if cfg.Stream != nil {
		external = cfg.Stream.ExternalURL
	}
	st.origins = doors.NewOrigins(cfg.AllowedOrigins, external)
	if st.hub, err = newHub(cfg, st.reg); err != nil {
		return nil, err
	}
	for _, shard := range st.hub.shards {
		shard.panics = s.panics
	}
	if err = registerAddressMetrics(st.hub, st.reg); err != nil {
		return nil, err
	}
	st.group = s.sockets.NewGroup(sockets.GroupConfig{Handler: st.hub, Origin: st.origins.Allow, Seeders: st.seeders, Join: s.join,
		Arrived: func() { s.arrivals.ring(st.key.Prefix()) },
		Door:    st.door, Sockets: e.Limits.Sockets, Weight: st.share.Load})
	if st.metrics != nil {
		err = st.metrics.sockets(st.group)
	}
	if err == nil {
		err = st.mountViewers()
	}
	if err != nil {
		st.discard()
		return nil, err
	}
	return st, nil
}

// seeders says who is a seeder of the stream.
func (s *stream) seeders() doors.Seeders {
	return doors.Seeders{Tokens: s.server.seederTokens(), Hashes: *s.hashes.Load()}
}

// start begins to work. failed is called with the error of a task that cannot go on.
func (s *stream) start(ctx context.Context, failed func(error)) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.stopShards = s.hub.start()
	for _, run := range s.watched {
		s.running.Go(func() { run(ctx, watchEvery) })
	}
	for _, f := range s.background {
		s.running.Go(func() {
			if err := f(ctx); err != nil {
				failed(err)
			}
		})
	}
}

// discard drops a stream that was never served.
func (s *stream) discard() { s.group.Drain(0) }

// stop ends the work of a stream that has no sockets any more.
func (s *stream) stop() {
	s.cancel()
	s.running.Wait()
	s.stopShards()
}

// leave closes the sockets politely, and ends the work.
func (s *stream) leave() {
	s.group.Drain(s.cfg.DrainPeriod.Std())
	s.stop()
}

// Snapshot implements viewerapi.Swarms.
func (s *stream) Snapshot() []viewerapi.SwarmCount { return s.hub.registry.snapshot() }

// Audience implements viewerapi.Swarms.
func (s *stream) Audience() viewerapi.Audience {
	a := viewerapi.Audience{ViewerSockets: s.group.Viewers(), SeederSockets: s.group.Seeders()}
	if addr, viewers := s.group.OneAddress(); viewers >= manyViewers && !addr.IsLoopback() {
		a.OneAddress = addr.String()
	}
	return a
}

// manyViewers is how many viewers with one address are suspicious: a proxy or a NAT of the cluster may hide theirs.
const manyViewers = 10

// state is how the stream is served, except for swarms that another stream has.
func (s *stream) state() table.State {
	out := table.State{Namespace: s.key.Namespace, Name: s.key.Name, UID: s.uid,
		Viewers: s.group.Viewers(), Seeders: s.group.Seeders()}
	if s.facts == nil {
		return out
	}
	f := s.facts.Facts()
	out.Read = !f.At.IsZero() || len(f.Renditions) > 0
	if f.Problem != "" {
		out.Problem, out.Detail = table.ProblemSource, f.Problem
	}
	return out
}

// configOf is the configuration of a stream of the table.
func (s *Server) configOf(e table.Entry) Config {
	cfg := s.cfg
	own := e.Stream
	own.STUN, own.STUNFile, own.ExternalURL = nil, "", s.cfg.Streams.ExternalURL
	cfg.Stream, cfg.AllowedOrigins = &own, slices.Clone(e.AllowedOrigins)
	below := func(limit *int, own int) {
		if own > 0 {
			*limit = min(*limit, own)
		}
	}
	below(&cfg.Limits.PeersPerSwarm, e.Limits.PeersPerSwarm)
	below(&cfg.Limits.Sessions, e.Limits.Sessions)
	below(&cfg.Limits.ReportsPerSecond, e.Limits.ReportsPerSecond)
	cfg.Shards = min(cfg.Shards, shardsOfOne)
	return cfg.WithDefaults(1)
}

// shardsOfOne is how many shards each of several streams has at most: a shard of a stream without viewers costs some memory
// too.
const shardsOfOne = 2

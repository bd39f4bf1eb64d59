package tracker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// streams are the streams of a tracker: those of a table, which changes while the tracker runs, or one that stays.
type streams struct {
	server *Server
	// only is the stream of a stand-alone tracker; nil: there is a table.
	only *stream
	// visitors are the sockets whose stream is not known yet; nil in a stand-alone tracker.
	visitors *visitors
	// network is the dashboard of all streams; nil in a stand-alone tracker, as are its pages.
	network  *dashboard.Network
	overview *viewerapi.Network
	public   http.Handler // of the dashboard; nil: it is not shown to viewers
	claims   claims
	refused  *prometheus.CounterVec // tables, by reason
	// served leads requests. It is replaced, and never changed.
	served atomic.Pointer[served]

	mu      sync.Mutex // one change at a time
	ctx     context.Context
	sites   *sites.Map // in force
	stopped bool
	failed  chan error
	leaving sync.WaitGroup
}

// served is a table in force.
type served struct {
	table   table.Table
	order   []*stream // as in the table
	byKey   map[table.Key]*stream
	byToken map[doors.Hash]*stream // the first stream of each token
}

func newServed(t table.Table, order []*stream) *served {
	out := &served{table: t, order: order, byKey: make(map[table.Key]*stream, len(order)), byToken: map[doors.Hash]*stream{}}
	for _, st := range order {
		out.byKey[st.key] = st
		for _, h := range *st.hashes.Load() {
			if out.byToken[h] == nil {
				out.byToken[h] = st
			}
		}
	}
	return out
}

// newStreams builds the streams that the tracker begins with.
func (s *Server) newStreams() error {
	all := &streams{server: s, failed: make(chan error, 1), sites: s.Sites()}
	s.streams = all
	all.served.Store(newServed(table.Table{}, nil))
	if s.cfg.Streams == nil {
		st, err := s.newStream(table.Entry{}, s.cfg)
		if err != nil {
			return err
		}
		st.hub.setPlaces(placesOn(all.sites))
		all.only = st
		all.served.Store(newServed(table.Table{}, []*stream{st}))
		return nil
	}
	if err := all.newVisitors(); err != nil {
		return err
	}
	if err := all.newNetwork(); err != nil {
		return err
	}
	for _, c := range all.collectors() {
		if err := s.reg.Register(c); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return all.resume()
}

// resume serves the table that was kept, or else the one that the tracker was given. A kept file that cannot be used is put aside:
// a tracker that does not start, since the file is there at its next start too, would wait for a person, and who changes the
// table sends it again.
func (s *streams) resume() error {
	file := s.server.cfg.Streams.File
	t, found, err := readTable(file, s.rules())
	if err == nil && found {
		err = s.change(t, false)
	}
	if err == nil {
		if !found {
			s.serveInitial()
		}
		return nil
	}
	if at, looked := os.Lstat(file); looked != nil || !at.Mode().IsRegular() || os.Rename(file, file+damagedSuffix) != nil {
		return fmt.Errorf("config.streams.file: %w; remove the file to begin without streams", err)
	}
	s.refused.WithLabelValues(tableDamaged).Inc()
	s.server.log.Error("the table that was kept cannot be used", "error", err, "kept as", file+damagedSuffix)
	s.serveInitial()
	return nil
}

// serveInitial serves the table that the tracker was given to begin with, if any. One that cannot be used is left.
func (s *streams) serveInitial() {
	file := s.server.cfg.Streams.InitialFile
	if file == "" {
		return
	}
	t, _, err := readTable(file, s.rules())
	if err == nil {
		err = s.change(t, false)
	}
	if err != nil {
		s.refused.WithLabelValues(tableInitial).Inc()
		s.server.log.Error("config.streams.initialFile cannot be used; the tracker begins without streams", "error", err)
	}
}

func (s *streams) rules() table.Rules { return table.Rules{Dir: s.server.cfg.Streams.FilesDir} }

// move takes another map of sites.
func (s *streams) move(m *sites.Map) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sites = m
	s.each(func(st *stream) {
		st.hub.setPlaces(placesOn(m))
		st.hub.endRevoked(m)
	})
}

// each calls f for all streams.
func (s *streams) each(f func(*stream)) {
	for _, st := range s.served.Load().order {
		f(st)
	}
}

func (s *streams) count() int { return len(s.served.Load().order) }

// errStopped is the answer to changes while the tracker ends.
var errStopped = errors.New("the tracker is shutting down")

// change makes a table, which is valid, the one in force, and keeps it if so asked. On an error nothing has changed.
func (s *streams) change(t table.Table, keep bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	before := s.served.Load()
	order := make([]*stream, len(t.Streams))
	var added, kept []*stream
	taken := false
	defer func() {
		if !taken {
			for _, st := range added {
				st.discard()
			}
		}
	}()
	for i, e := range t.Streams {
		st := before.byKey[e.Key()]
		if st != nil && st.goesOnAs(e) {
			kept = append(kept, st)
		} else {
			var err error
			if st, err = s.server.newStream(e, s.server.configOf(e)); err != nil {
				return fmt.Errorf("streams[%d] (%s): %w", i, e.Key(), err)
			}
			st.hub.setPlaces(placesOn(s.sites))
			added = append(added, st)
		}
		order[i] = st
	}
	if keep {
		if err := writeTable(s.server.cfg.Streams.File, t); err != nil {
			return &keepError{err}
		}
	}
	taken = true
	for i, st := range order {
		if slices.Contains(kept, st) {
			st.goOnAs(t.Streams[i])
		}
	}
	for _, st := range added {
		s.begin(st)
	}
	next := newServed(t, order)
	s.served.Store(next)
	s.claims.order(order)
	gone := 0
	for _, st := range before.order {
		if next.byKey[st.key] != st {
			gone++
			s.end(st)
		}
	}
	s.server.log.Info("table of streams is in force", "revision", t.Revision, "streams", len(order), "new", len(added), "gone", gone)
	return nil
}

// keepError says that a table could not be written.
type keepError struct{ error }

func (e *keepError) Unwrap() error { return e.error }

// goesOnAs reports whether a stream can serve an entry without being built anew.
func (s *stream) goesOnAs(e table.Entry) bool {
	// These change in place.
	own := s.entry
	own.SeederTokenHashes, own.Share = e.SeederTokenHashes, e.Share
	return sameEntry(own, e)
}

// goOnAs makes a stream serve an entry.
func (s *stream) goOnAs(e table.Entry) {
	hashes, err := e.Hashes()
	if err != nil { // cannot happen: the table is valid
		return
	}
	s.hashes.Store(&hashes)
	s.share.Store(int64(e.Weight()))
	s.entry = e
}

// begin starts a stream if the tracker runs. s.mu is held, as in end.
func (s *streams) begin(st *stream) {
	if s.ctx == nil {
		return
	}
	st.start(s.ctx, func(err error) {
		if s.only == nil {
			st.log.Error("a task of the stream has ended", "error", err)
			return
		}
		select {
		case s.failed <- err:
		default:
		}
	})
}

func (s *streams) end(st *stream) {
	s.claims.drop(st)
	if s.ctx != nil {
		s.leaving.Go(st.leave)
	}
}

// run starts the streams and waits until ctx ends, or the stream of a stand-alone tracker cannot go on.
func (s *streams) run(ctx context.Context) error {
	select {
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// open starts the streams; ctx ends their tasks.
func (s *streams) open(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx = ctx
	s.each(s.begin)
}

// stop ends the streams, of which no socket is left.
func (s *streams) stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.leaving.Wait()
	s.each((*stream).stop)
}

// state answers what is served.
func (s *streams) state() table.States {
	now := s.served.Load()
	out := table.States{Revision: now.table.Revision, Streams: []table.State{}}
	for _, st := range now.order {
		state := st.state()
		if by, ok := s.claims.takenFrom(st); ok {
			state.Problem = table.ProblemSwarmTaken
			state.Detail = "the stream " + by.String() + " comes before this one and has the same swarm; give one of them another swarmID"
		}
		out.Streams = append(out.Streams, state)
	}
	return out
}

// defaultSTUN returns the servers for all streams of a tracker.
func defaultSTUN(c Config) (fixed []string, file string) {
	switch {
	case c.Stream != nil:
		return c.Stream.STUN, c.Stream.STUNFile
	case c.Streams != nil:
		return c.Streams.STUN, c.Streams.STUNFile
	}
	return nil, ""
}

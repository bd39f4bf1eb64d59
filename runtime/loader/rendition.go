package loader

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/mailbox"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/ratelog"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
)

// rendition takes part in the swarms of one rendition. Its run goroutine owns
// every field below "owned"; everything else posts to mail.
type rendition struct {
	e     *Engine
	info  manifest.Rendition
	log   *slog.Logger
	ctx   context.Context
	stop  context.CancelFunc
	mail  *mailbox.Mailbox
	index *index.Index

	swarmMu   sync.Mutex
	swarms    map[identity.Generation]*mesh.Swarm
	hashes    []identity.InfoHash // of the swarms that it claimed; on demand
	status    atomic.Pointer[RenditionStatus]
	fresh     *freshness
	transit   *transit.Share
	originLog *ratelog.Log // for what an origin can cause again and again

	// owned by run
	playlist  *manifest.Playlist
	segments  []*segment // playlist order; those that left the playlist come first
	byKey     map[store.Key]*segment
	bySeq     map[int64]*segment // the first with its number
	counted   int                // segments counted in the engine's sum
	row       int                // failures of the origin since its last success
	rowAt     time.Time          // the last of them
	sessions  []*session
	newestAt  time.Time // when the newest segment was first seen
	playError string
	dirty     bool // what is announced may have changed
	leaving   bool // nothing is announced any more
	announced map[identity.Generation]announced
	expecting *segment // newest segment whose successor is announced as on its way
	track     *playback.Track
	base      time.Duration // presentation time at which playback began
	based     bool
	joinedAt  time.Time
	lonely    bool                  // nobody was met here the last time that it was awake
	met       atomic.Bool           // somebody was met
	heads     map[*head]struct{}    // players, on demand
	waiting   map[*segment]struct{} // segments that players wait for
}

func newRendition(ctx context.Context, e *Engine, info manifest.Rendition) *rendition {
	ctx, stop := context.WithCancel(ctx)
	r := &rendition{
		e: e, info: info, log: e.log.With("rendition", info.Name), ctx: ctx, stop: stop,
		mail: mailbox.New(), index: index.New(e.cfg.Generations),
		swarms:    make(map[identity.Generation]*mesh.Swarm),
		byKey:     make(map[store.Key]*segment),
		bySeq:     make(map[int64]*segment),
		transit:   e.transit.Share(),
		announced: make(map[identity.Generation]announced),
		joinedAt:  time.Now(),
		fresh:     newFreshness(),
		heads:     make(map[*head]struct{}),
		waiting:   make(map[*segment]struct{}),
	}
	r.originLog = ratelog.New(r.log)
	r.status.Store(&RenditionStatus{Name: info.Name, HeldEdge: -1, NewestKnown: -1})
	if e.playback != nil {
		r.track = e.playback.AddTrack(info.Name)
	}
	return r
}

// join enters the swarm of each generation; two renditions with the same
// properties share one swarm, which the first of them joins.
func (r *rendition) join(ctx context.Context, swarmID string) error {
	if r.e.node == nil || len(r.e.cfg.Trackers) == 0 {
		return nil
	}
	r.swarmMu.Lock()
	defer r.swarmMu.Unlock()
	if r.e.drains() {
		return nil
	}
	for _, g := range r.e.cfg.Generations {
		hash := r.info.InfoHash(g, swarmID)
		if !r.e.claimFor(r, hash) {
			r.log.Info("another rendition has the same identity and serves its swarm", "generation", string(g))
			continue
		}
		id, err := r.e.newPeerID()
		if err != nil {
			return fmt.Errorf("making peer id: %w", err)
		}
		offers := 0 // the mesh's default
		if r.e.cfg.Role == RoleSeeder {
			offers = -1 // viewers offer; answering costs a connection only when one is wanted
		}
		swarm, err := r.e.node.Join(ctx, mesh.SwarmConfig{
			InfoHash: hash, PeerID: id, Trackers: r.e.cfg.Trackers,
			MaxPeers: r.e.cfg.MaxPeers, Offers: offers, Handler: &handler{r: r, generation: g},
		})
		if err != nil {
			return err
		}
		r.swarms[g] = swarm
	}
	return nil
}

func (r *rendition) leave() {
	r.swarmMu.Lock()
	defer r.swarmMu.Unlock()
	for g, s := range r.swarms {
		s.Leave()
		delete(r.swarms, g)
	}
	r.stop()
}

// wake makes the owner look again.
func (r *rendition) wake() { r.mail.Post(func() {}) }

// Pauses of the owner's loop.
const (
	viewerTick = 100 * time.Millisecond // playback moves, requests grow late
	seederTick = 500 * time.Millisecond // retries come due
	pause      = 5 * time.Millisecond   // announcements of a whole swarm are handled together
	restShare  = 9                      // times as long as a look takes nobody looks again, so that many of them keep no processor busy
)

// run owns the rendition until its context ends.
func (r *rendition) run() {
	defer r.end()
	var follow sync.WaitGroup
	follow.Go(r.follow)
	defer follow.Wait()
	defer r.stop()
	tick := seederTick
	if r.e.cfg.Role == RoleViewer {
		tick = viewerTick
	}
	timer := time.NewTimer(tick)
	defer timer.Stop()
	var last time.Time
	between := pause
	for {
		for _, work := range r.mail.Take() {
			work()
		}
		now := time.Now()
		wait := between - now.Sub(last)
		if wait <= 0 {
			r.act(now)
			between = min(max(pause, restShare*time.Since(now)), tick)
			last, wait = now, tick
		}
		timer.Reset(wait)
		var signal <-chan struct{}
		if wait == tick {
			signal = r.mail.Signal()
		}
		select {
		case <-r.ctx.Done():
			r.settleTrack()
			if r.e.demand != nil {
				r.endDemand()
			}
			return
		case <-signal:
		case <-timer.C:
		}
	}
}

// end lets go of what the rendition had of the engine's.
func (r *rendition) end() {
	r.mail.Close()
	r.transit.Close()
	r.count(0)
}

func (r *rendition) settleTrack() {
	if r.track != nil {
		r.e.playback.RemoveTrack(r.track, time.Now())
	}
}

// act does what the moment asks for.
func (r *rendition) act(now time.Time) {
	for _, s := range r.sessions {
		s.expire(now)
	}
	r.loseHope(now)
	r.retire(now)
	if r.playlist != nil {
		switch {
		case r.e.cfg.Role == RoleViewer:
			r.view(now)
		case !r.leaving:
			r.seed(now)
		}
	}
	if !r.leaving {
		r.announce(now)
	}
	r.report(now)
}

// follow keeps the playlist fresh for as long as the rendition lives.
func (r *rendition) follow() {
	pace := manifest.Player
	if r.e.cfg.Role == RoleSeeder {
		pace = manifest.Ahead
	}
	wait := backoff.New(250*time.Millisecond, 5*time.Second)
	for {
		options := manifest.FollowOptions{Pace: pace}
		if r.e.demand != nil {
			options.Reload, options.Loading, options.Loaded, options.EveryText = r.fresh.reload, r.fresh.loading, r.fresh.loaded, true
		}
		err := r.e.cfg.Source.FollowWith(r.ctx, r.info, options, func(p *manifest.Playlist, err error) {
			// The owner hears of it first: players may ask for its segments as soon as they see it.
			r.mail.Post(func() { r.refreshed(p, err) })
			if err == nil {
				r.fresh.set(p)
			}
		})
		if r.ctx.Err() != nil || err == nil {
			return // a finished playlist does not change any more
		}
		r.mail.Post(func() { r.refreshed(nil, err) })
		if !wait.Sleep(r.ctx) {
			return
		}
	}
}

func (r *rendition) refreshed(p *manifest.Playlist, err error) {
	if err != nil {
		if r.playError == "" {
			r.originLog.Warn("refreshing playlist failed, trying again", "error", err)
		}
		r.playError = err.Error()
		r.e.counters.PlaylistErrors.Add(1)
		r.dirty = true // an expected segment is no longer expected
		return
	}
	if r.playError != "" {
		r.originLog.Info("playlist is back")
		r.playError = ""
	}
	if !r.fits(len(p.Segments)) {
		r.refreshed(nil, errTooManySegments)
		return
	}
	r.merge(p, time.Now())
}

// handler turns one swarm's connections into sessions.
type handler struct {
	r          *rendition
	generation identity.Generation
	sessions   sync.Map // *mesh.Peer → *session
}

func (h *handler) PeerOpened(p *mesh.Peer) {
	if h.r.e.peers.Add(1) > int64(h.r.e.cfg.MaxPeers) {
		h.r.e.counters.Disconnects[traffic.PeerLimit].Add(1)
		p.Close(errTooManyPeers)
		return
	}
	h.r.e.lastPeer.Store(time.Now().UnixNano())
	s := newSession(h.r, h.generation, p)
	h.sessions.Store(p, s)
	h.r.mail.Post(func() { h.r.opened(s) })
}

func (h *handler) PeerMessage(p *mesh.Peer, msg []byte) {
	if s, ok := h.sessions.Load(p); ok {
		s.(*session).message(msg)
	}
}

func (h *handler) PeerClosed(p *mesh.Peer, cause error) {
	h.r.e.peers.Add(-1)
	h.r.e.lastPeer.Store(time.Now().UnixNano())
	if s, ok := h.sessions.LoadAndDelete(p); ok {
		s := s.(*session)
		s.closed()
		h.r.mail.Post(func() { h.r.closed(s, cause) })
	}
}

func (r *rendition) opened(s *session) {
	r.sessions = append(r.sessions, s)
	r.met.Store(true)
	r.log.Debug("peer connected", "peer", string(s.peer.ID()), "generation", string(s.generation))
	if !r.e.cfg.UploadDisabled {
		s.sendChunks(r.announced[s.generation].chunks)
	}
}

func (r *rendition) closed(s *session, cause error) {
	for i, other := range r.sessions {
		if other == s {
			r.sessions = append(r.sessions[:i], r.sessions[i+1:]...)
			break
		}
	}
	for _, seg := range r.segments {
		if seg.notFrom == s {
			seg.notFrom = nil
		}
	}
	r.log.Debug("peer closed", "peer", string(s.peer.ID()), "cause", cause)
}

// Status returns what the owner last reported.
func (r *rendition) Status() RenditionStatus { return *r.status.Load() }

func (r *rendition) report(now time.Time) {
	s := RenditionStatus{Name: r.info.Name, HeldEdge: -1, NewestKnown: -1, Peers: len(r.sessions), Error: r.playError}
	if r.playlist != nil {
		s.Live = r.playlist.Live
	}
	for _, p := range r.sessions {
		if a := p.announced.Load(); a != nil {
			s.Announced += len(a.loaded) + len(a.loading)
		}
	}
	for seg := range r.waiting {
		s.Waits += len(seg.waits)
	}
	for _, seg := range r.segments {
		if !seg.retired.IsZero() {
			continue
		}
		s.Known++
		s.NewestKnown = max(s.NewestKnown, seg.Sequence)
		if seg.held() {
			s.Held++
			s.HeldEdge = max(s.HeldEdge, seg.Sequence)
		}
	}
	r.status.Store(&s)
	if r.track != nil {
		r.reportBuffered(now)
	}
}

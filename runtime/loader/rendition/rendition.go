package rendition

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/mailbox"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/ratelog"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
)

// Rendition takes part in the swarms of one rendition. Run's goroutine owns
// every field below "owned"; everything else posts to mail.
type Rendition struct {
	shared        *Shared
	info          manifest.Rendition
	log           *slog.Logger
	originLog     *ratelog.Log // for what an origin can cause repeatedly
	ctx           context.Context
	stop          context.CancelFunc
	mail          *mailbox.Mailbox
	index         *index.Index
	transit       *transit.Share
	fetcher       *fetch.Fetcher
	sessionConfig session.Config
	swarms        swarms
	playlists     *ondemand.PlaylistCache
	status        atomic.Pointer[Status]
	met           atomic.Bool // a peer was connected
	reread        chan bool   // for the follower: load the playlist at once, and the manifest before it if true
	event         event

	// owned by Run
	core          *core.Core
	segments      known
	playlistError string
	sessions      []*session.Session
	announcer     announcer
	leaving       bool // nothing is announced any more
	named         swarmNames
	compared      bool   // a segment of another seeder was compared with the origin
	track         *track // of a viewer that plays; nil for seeders and on demand
}

// New returns a rendition that has joined no swarm yet; Run must be called
// unless Leave is. ctx ends it.
func New(ctx context.Context, shared *Shared, info manifest.Rendition) *Rendition {
	ctx, stop := context.WithCancel(ctx)
	r := &Rendition{
		shared: shared, info: info, log: shared.Log.With("rendition", info.Name), ctx: ctx, stop: stop,
		mail: mailbox.New(), index: index.New(shared.Settings.Generations), transit: shared.Transit.Share(),
		swarms:    swarms{joined: make(map[identity.Generation]*mesh.Swarm), stream: info.Stream},
		playlists: ondemand.NewPlaylistCache(),
		segments:  known{sum: shared.Segments},
		announcer: announcer{last: make(map[identity.Generation]*encoded), spreading: newSpreading(&shared.Settings)},
		reread:    make(chan bool, 1),
	}
	r.originLog = ratelog.New(r.log)
	played := shared.Counters.Rendition(info.Name)
	r.fetcher = &fetch.Fetcher{
		Source: shared.Source, Transit: r.transit, Counters: shared.Counters, Played: played, MaxSegmentBytes: shared.Settings.MaxSegmentBytes,
	}
	r.sessionConfig = session.Config{
		Log: r.log, Counters: shared.Counters, Played: played, Transit: r.transit, Index: r.index, Store: shared.Store, Uplink: shared.Uplink,
		MaxMessageSize: shared.Settings.MaxMessageSize, MaxSegmentBytes: shared.Settings.MaxSegmentBytes,
		UploadDisabled: shared.Settings.UploadDisabled, Go: shared.Work.Go, Announced: func(*session.Session) { r.wake() },
	}
	if r.announcer.state != nil {
		r.sessionConfig.Announced, r.sessionConfig.Asked = r.hears, r.asked
		first := shared.Settings.Generations[0]
		r.announcer.state.SetNames(func(sequence int64) int64 { return r.core.ExternalID(sequence, first) })
	}
	r.status.Store(&Status{Name: info.Name, HeldEdge: -1, NewestKnown: -1})
	var clock core.Clock
	if shared.Playback != nil {
		r.track = &track{shared.Playback, shared.Playback.AddTrack(info.Name)}
		clock = r.track
	}
	r.core = core.New(r.coreOf(), driver{r}, shared.Store, clock, time.Now())
	return r
}

// Info is what the manifest says of the rendition.
func (r *Rendition) Info() manifest.Rendition { return r.info }

// Log is the rendition's log.
func (r *Rendition) Log() *slog.Logger { return r.log }

// HadNoPeers notes that no peer was connected the last time that the rendition
// was awake: it does not wait long for the first one. It is called before Run.
func (r *Rendition) HadNoPeers() { r.core.HadNoPeers() }

// MetPeers tells whether a peer was connected since New.
func (r *Rendition) MetPeers() bool { return r.met.Load() }

// Evicted tells the rendition that segments left the shared store; it does not block.
func (r *Rendition) Evicted(keys []store.Key) { r.mail.Post(func() { r.core.Evicted(keys) }) }

// wake makes the owner act soon.
func (r *Rendition) wake() { r.mail.Post(func() {}) }

// Pauses of the owner's loop.
const (
	viewerTick  = 100 * time.Millisecond // playback moves, requests become late
	seederTick  = 500 * time.Millisecond // retries become due
	minPause    = 5 * time.Millisecond   // announcements of a whole swarm are handled together
	pauseFactor = 9                      // the pause is so many times as long as the last pass took, to spare the processor
)

// Run owns the rendition until its context ends.
func (r *Rendition) Run() {
	defer r.end()
	var follow sync.WaitGroup
	follow.Go(r.follow)
	defer follow.Wait()
	defer r.stop()
	tick := viewerTick
	if r.shared.Settings.Seeder {
		tick = seederTick
	}
	timer := time.NewTimer(tick)
	defer timer.Stop()
	var last time.Time
	between := minPause
	for {
		for _, work := range r.mail.Take() {
			work()
		}
		now := time.Now()
		wait := between - now.Sub(last)
		var signal <-chan struct{}
		if wait <= 0 {
			r.act(now)
			between = min(max(minPause, pauseFactor*time.Since(now)), tick)
			last, wait = now, r.rest(now, tick)
			signal = r.mail.Signal()
		}
		timer.Reset(wait)
		select {
		case <-r.ctx.Done():
			if r.track != nil {
				r.track.end(time.Now())
			}
			if r.shared.Settings.OnDemand || r.event.retired.Load() {
				r.dropAll()
			}
			return
		case <-signal:
		case <-timer.C:
		}
	}
}

// end releases what the rendition uses of the engine's.
func (r *Rendition) end() {
	r.mail.Close()
	r.transit.Close()
	r.segments.count(0)
}

// act does what is due at now.
func (r *Rendition) act(now time.Time) {
	for _, s := range r.sessions {
		s.Expire(now)
	}
	r.core.Settle(now)
	r.nameSwarms()
	r.core.Tick(r.leaving, now)
	if !r.leaving {
		r.announce(now)
	}
	r.vouch(now)
	r.report(now)
}

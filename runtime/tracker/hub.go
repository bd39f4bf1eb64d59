package tracker

import (
	"hash/maphash"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/descriptions"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// hub is the sockets.Handler: it parses messages and sends them to the shards that own the swarms.
type hub struct {
	cfg      Config
	limits   signaling.Limits
	registry *registry
	shards   []*shard
	seed     maphash.Seed
	rules    descriptions.Rules
	metrics  *metrics
	// allowed are the info hashes that are served; nil means all.
	allowed atomic.Pointer[map[signaling.ID]struct{}]
	// denied are info hashes of the tracker's other streams.
	denied atomic.Pointer[map[signaling.ID]struct{}]
	// shut: all of them are another stream's.
	shut atomic.Bool
	// learn looks whether the stream has other swarms by now, and returns true if it has; nil: there is no stream.
	learn func() bool
	// attendance knows the sessions that have sockets here, report takes their reports; nil: reports are not taken.
	attendance *attendance
	report     func(c sockets.Client, message []byte) []byte

	places places
	// turns are how many messages of this stream are read at the same time, so that a crowd leaves the CPU to other streams;
	// nil: there are no others.
	turns chan struct{}

	mu      sync.Mutex
	seeders map[string]map[*session]struct{} // by the session id in their reports

	seederLeft func(session string) // is called when its last socket has closed; nil: not
}

func newHub(cfg Config, reg prometheus.Registerer) (*hub, error) {
	h := &hub{cfg: cfg, attendance: newAttendance(cfg.Limits.SocketsPerTicket), registry: newRegistry(cfg.Limits.Swarms), seed: maphash.MakeSeed(),
		rules:   descriptions.Rules{Ranges: cfg.CandidatePrefixes(), Loopback: cfg.LoopbackCandidates()},
		seeders: make(map[string]map[*session]struct{}), places: newPlaces(),
		limits: signaling.Limits{MessageBytes: cfg.Limits.MessageBytes, Offers: cfg.Limits.OffersPerAnnounce,
			ScrapeHashes: cfg.Limits.ScrapeHashes}.WithDefaults(),
	}
	core := swarm.Defaults()
	core.MinInterval, core.MaxInterval = cfg.AnnounceInterval.Min.Std(), cfg.AnnounceInterval.Max.Std()
	core.Seeders, core.Peers, core.MaxPeers = cfg.Peering.Seeders, cfg.Peering.Peers, cfg.Peering.MaxPeers
	core.SeederPeers, core.PeersPerSwarm = cfg.Peering.SeederPeers, cfg.Limits.PeersPerSwarm
	// A repeated offer costs a viewer little, and shows sooner what an answer was worth.
	core.RepeatAfter = 4 * core.MinInterval
	if cfg.SeederToken != "" || cfg.SeederTokenFile != "" || cfg.Streams != nil {
		core.SeederPrefix = identity.SeederPrefix
	}
	core.Gateways, core.CellSize = cfg.Peering.Gateways, cfg.Peering.CellSize
	core.OffersPerSecond, core.PendingOffers = cfg.Limits.OffersPerSecond, max(1, cfg.Limits.PendingOffers/cfg.Shards)
	for i := range cfg.Shards {
		rnd := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // the choice of peers is not secret
		h.shards = append(h.shards, &shard{number: i, core: swarm.NewCore(core, h.registry, rnd), in: make(chan *job, 256)})
	}
	if cfg.Streams != nil {
		h.turns = newMessageTurns()
	}
	var err error
	if h.metrics, err = newMetrics(h, reg); err != nil {
		return nil, err
	}
	for _, s := range h.shards {
		s.metrics = h.metrics
	}
	return h, nil
}

// newMessageTurns returns the turns of one of several streams: half of the CPUs.
func newMessageTurns() chan struct{} { return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

// start runs the shards. The returned function stops them; call it after the last session was closed.
func (h *hub) start() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range h.shards {
		wg.Go(func() { s.run(done) })
	}
	return func() {
		h.places.stop()
		// Process the jobs of the last sessions first.
		h.barrier()
		close(done)
		wg.Wait()
	}
}

// barrier returns when every shard has processed the jobs that were sent to it before.
func (h *hub) barrier() {
	for _, s := range h.shards {
		reached := make(chan struct{})
		s.in <- &job{kind: jobBarrier, reached: reached}
		<-reached
	}
}

func (h *hub) shardOf(hash signaling.ID) int {
	if len(h.shards) == 1 {
		return 0
	}
	return int(maphash.Bytes(h.seed, hash[:]) % uint64(len(h.shards)))
}

// Open implements sockets.Handler.
func (h *hub) Open(c sockets.Conn, client sockets.Client) sockets.Session {
	s := &session{hub: h, conn: c, client: client, socks: make([]*swarm.Socket, len(h.shards)),
		bucket: newBucket(h.cfg.Limits, client.Seeder, time.Now())}
	h.places.enter(s)
	if client.Join.ID != "" {
		h.enterJoined(s)
	}
	if session := client.Ticket.Session; session != "" && !h.attendance.enter(session, time.Now()) {
		h.metrics.limit(limitTicket) // several came at once
		c.Close(sockets.ReasonFlood)
	}
	if client.Seeder && client.Session != "" {
		h.mu.Lock()
		if h.seeders[client.Session] == nil {
			h.seeders[client.Session] = make(map[*session]struct{})
		}
		h.seeders[client.Session][s] = struct{}{}
		h.mu.Unlock()
	}
	return s
}

func (h *hub) forget(s *session) {
	h.places.leave(s)
	if s.client.Join.ID != "" {
		h.leaveJoined(s)
	}
	if session := s.client.Ticket.Session; session != "" {
		h.attendance.leave(session, time.Now())
	}
	if !s.client.Seeder || s.client.Session == "" {
		return
	}
	h.mu.Lock()
	delete(h.seeders[s.client.Session], s)
	last := len(h.seeders[s.client.Session]) == 0
	if last {
		delete(h.seeders, s.client.Session)
	}
	h.mu.Unlock()
	if last && h.seederLeft != nil {
		h.seederLeft(s.client.Session)
	}
}

// setLoad passes a seeder's reported load to the shards.
func (h *hub) setLoad(name string, peers, limit int) {
	h.mu.Lock()
	sessions := make([]*session, 0, len(h.seeders[name]))
	for s := range h.seeders[name] {
		sessions = append(sessions, s)
	}
	h.mu.Unlock()
	for _, s := range sessions {
		for i, shard := range h.shards {
			if s.used.Load()&(1<<i) == 0 {
				continue
			}
			j := jobs.Get().(*job)
			j.kind, j.sess, j.peers, j.limit = jobLoad, s, peers, limit
			select {
			case shard.in <- j:
			default: // the shard is busy; the next report comes in seconds
				j.release()
			}
		}
	}
}

// allow restricts the tracker to the given info hashes; nil lifts the restriction.
func (h *hub) allow(hashes []signaling.ID) {
	if hashes == nil {
		h.allowed.Store(nil)
		return
	}
	h.allowed.Store(setOf(hashes))
}

// know exempts the swarms of the given info hashes from the limit on swarms.
func (h *hub) know(hashes []signaling.ID) { h.registry.known.Store(setOf(hashes)) }

// shuts has the hub refuse all info hashes, known or not, because another stream is named for their swarm.
func (h *hub) shuts(shut bool) { h.shut.Store(shut) }

// deny says which info hashes belong to other streams; nil: none.
func (h *hub) deny(hashes []signaling.ID) { h.denied.Store(setOf(hashes)) }

// denies reports whether an info hash belongs to another stream, so that not even a seeder may announce it here.
func (h *hub) denies(hash signaling.ID) bool {
	if h.shut.Load() {
		return true
	}
	set := h.denied.Load()
	if set == nil {
		return false
	}
	_, ok := (*set)[hash]
	return ok
}

func setOf(hashes []signaling.ID) *map[signaling.ID]struct{} {
	set := make(map[signaling.ID]struct{}, len(hashes))
	for _, id := range hashes {
		set[id] = struct{}{}
	}
	return &set
}

// serves reports whether viewers may announce an info hash. One that a seeder has announced is the stream's: seeders know
// it while the origin cannot be read.
func (h *hub) serves(hash signaling.ID) bool {
	return h.allows(hash) || h.registry.seeded(hash) || h.learn != nil && h.learn() && h.allows(hash)
}

func (h *hub) allows(hash signaling.ID) bool {
	set := h.allowed.Load()
	if set == nil {
		return true
	}
	_, ok := (*set)[hash]
	return ok
}

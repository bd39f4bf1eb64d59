package rendition

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// How many connections a seeder looks for.
const (
	seekSeeders = 4 // at the edge, in each swarm
	seekMates   = 7 // a central one, as many as trackers introduce; in the first swarm
)

// swarms are those that a rendition joined, one for each generation.
type swarms struct {
	mu     sync.Mutex
	joined map[identity.Generation]*mesh.Swarm
	stream identity.Stream                 // as the manifest names the rendition now
	hashes []identity.InfoHash             // claimed
	id     atomic.Pointer[identity.PeerID] // the rendition's own in the swarm of the first generation; nil: not joined
	term   atomic.Int64                    // grows when the swarms are left for those of a new event; sessions of earlier terms do not count
}

// Join enters the swarm of each generation; two renditions with the same
// properties share one swarm, which the first of them joins.
func (r *Rendition) Join(ctx context.Context, swarmID string) error {
	cfg := &r.shared.Settings
	if r.shared.Node == nil || r.alone() {
		r.mail.Post(func() { r.joined(time.Now()) }) // there are no peers to be apart from
		return nil
	}
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	if r.shared.Draining() || r.ctx.Err() != nil {
		return nil
	}
	term := r.swarms.term.Load()
	for _, g := range cfg.Generations {
		hash := r.swarms.stream.InfoHash(g, cfg.Asked.idFor(g, swarmID))
		if r.swarms.joined[g] != nil || hash == "" {
			continue // hash is empty if peers of the generation do not share the rendition
		}
		if !r.shared.Claim(hash) {
			r.log.Info("another rendition has the same identity and serves its swarm", "generation", string(g))
			continue
		}
		r.swarms.hashes = append(r.swarms.hashes, hash)
		prefix, offers, seek := identity.ViewerPrefix, 0, 0 // the mesh's default
		if cfg.Seeder {
			prefix = identity.SeederPrefix
			if cfg.PeerIDPrefix != "" {
				prefix = cfg.PeerIDPrefix
			}
			offers = -1 // viewers offer; answering costs a connection only when one is wanted
		}
		var counted func(mesh.Census)
		switch first := g == cfg.Generations[0]; {
		case cfg.Edge:
			seek = seekSeeders
		case first:
			counted = func(c mesh.Census) { r.mail.Post(func() { r.counted(c, term) }) }
			if cfg.Seeder {
				seek = seekMates
			}
		}
		id, err := identity.NewPeerID(prefix, rand.Reader)
		if err != nil {
			return fmt.Errorf("making peer id: %w", err)
		}
		swarm, err := r.shared.Node.Join(ctx, mesh.SwarmConfig{
			InfoHash: hash, PeerID: id, Trackers: cfg.Trackers,
			MaxPeers: cfg.MaxPeers, DialBelow: dialBelow(g, cfg), Offers: offers, Seek: seek, Counted: counted,
			Handler: &handler{r: r, swarm: hash, generation: g, term: term},
		})
		if err != nil {
			return err
		}
		r.swarms.joined[g] = swarm
		if g == cfg.Generations[0] {
			r.swarms.id.Store(&id)
		}
	}
	r.mail.Post(func() { r.joined(time.Now()) })
	return nil
}

// DefaultSwarms are the two swarm ids that players without a configured one have: that of the URL that answered, and that of
// the URL that was asked for. The zero value says that an id is configured.
type DefaultSwarms struct{ Answered, Asked string }

// idFor is the swarm id of a generation where most have id.
func (d DefaultSwarms) idFor(g identity.Generation, id string) string {
	if d.Asked != "" && id == d.Answered && identity.RulesOf(g).Asked {
		return d.Asked
	}
	return id
}

// dialBelow is with how many peers a viewer makes no offers any more: where peers accept half as many again as they look
// for, the rest is left to those that look for it.
func dialBelow(g identity.Generation, s *Settings) int {
	if s.Seeder || !identity.RulesOf(g).Spare {
		return 0
	}
	return max(1, s.MaxPeers*2/3)
}

// alone tells whether the rendition has no peers, and takes all from the origin.
func (r *Rendition) alone() bool {
	return len(r.shared.Settings.Trackers) == 0 || slices.Contains(r.shared.Settings.OriginOnly, r.info.Type)
}

// Leave leaves all swarms and ends Run.
func (r *Rendition) Leave() {
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	r.leaveAll()
	r.stop()
}

// Moved takes the identity of the rendition in a manifest that has changed, and tells whether it is another one. A swarm
// that is named by the place in the manifest is left then: some of its peers go by the old places, others by the new ones.
// It stays claimed, so that no other rendition joins it.
func (r *Rendition) Moved(to identity.Stream) bool {
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	from := r.swarms.stream
	r.swarms.stream = to
	if from.Position == to.Position && from.ShortID == to.ShortID && from.Written == to.Written {
		return false
	}
	for g, s := range r.swarms.joined {
		if from.StreamSwarmID(g, "") != to.StreamSwarmID(g, "") {
			r.log.Info("the manifest names the rendition in another place, leaving the swarm of the old one", "generation", string(g))
			s.Leave()
			delete(r.swarms.joined, g)
		}
	}
	return true
}

// LeaveSwarms leaves all swarms and goes on without them: Join may be called again. It returns the claims, which are the
// rendition's no more.
func (r *Rendition) LeaveSwarms() []identity.InfoHash {
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	r.swarms.term.Add(1)
	r.leaveAll()
	hashes := r.swarms.hashes
	r.swarms.hashes = nil
	return hashes
}

// leaveAll leaves the swarms at the same time: each may wait for answers that are under way. r.swarms.mu is held.
func (r *Rendition) leaveAll() {
	var leaving sync.WaitGroup
	for g, s := range r.swarms.joined {
		leaving.Go(s.Leave)
		delete(r.swarms.joined, g)
	}
	leaving.Wait()
}

// Claimed are the swarms that the rendition claimed in Join.
func (r *Rendition) Claimed() []identity.InfoHash {
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	return r.swarms.hashes
}

// Withdraw leaves the trackers, so that no new peer connects, and tells peers that nothing is held here any more.
// Requests that were sent before are answered. A seeder fetches nothing more.
func (r *Rendition) Withdraw() {
	r.swarms.mu.Lock()
	for _, s := range r.swarms.joined {
		s.Withdraw()
	}
	r.swarms.mu.Unlock()
	r.mail.Post(r.withdraw)
}

// counted takes what a tracker says of a swarm that was joined in a term.
func (r *Rendition) counted(c mesh.Census, term int64) {
	if term == r.swarms.term.Load() {
		r.core.Counted(core.Census{Peers: c.Peers, Seeders: c.Seeders, Known: true})
	}
}

var errTooManyPeers = errors.New("peer limit reached")

// handler makes a session of each connection of one swarm.
type handler struct {
	r          *Rendition
	swarm      identity.InfoHash
	generation identity.Generation
	term       int64    // of the swarms
	sessions   sync.Map // *mesh.Peer → *session.Session
}

func (h *handler) PeerOpened(p *mesh.Peer) {
	r := h.r
	if !r.shared.Peers.opened(r.shared.Settings.MaxPeers, time.Now()) {
		r.shared.Counters.Disconnects[traffic.PeerLimit].Add(1)
		p.Close(errTooManyPeers)
		return
	}
	s := session.New(r.ctx, &r.sessionConfig, h.swarm, h.generation, p)
	h.sessions.Store(p, s)
	r.mail.Post(func() {
		if h.term == r.swarms.term.Load() { // else the swarm is being left
			r.opened(s)
		}
	})
}

func (h *handler) PeerMessage(p *mesh.Peer, msg []byte) {
	if s, ok := h.sessions.Load(p); ok {
		s.(*session.Session).Message(msg)
	}
}

func (h *handler) PeerClosed(p *mesh.Peer, cause error) {
	h.r.shared.Peers.closed(time.Now())
	if s, ok := h.sessions.LoadAndDelete(p); ok {
		s := s.(*session.Session)
		s.Closed()
		h.r.mail.Post(func() { h.r.closed(s, cause) })
	}
}

func (r *Rendition) opened(s *session.Session) {
	r.sessions = append(r.sessions, s)
	r.core.Came(s)
	r.met.Store(true)
	r.log.Debug("peer connected", "peer", string(s.ID()), "generation", string(s.Generation()))
	if !r.shared.Settings.UploadDisabled {
		now := time.Now()
		r.listen(s, now)
		r.announceTo(s, now)
	}
}

func (r *Rendition) closed(s *session.Session, cause error) {
	r.sessions = slices.DeleteFunc(r.sessions, func(other *session.Session) bool { return other == s })
	r.core.Left(s)
	r.announcer.leaves(s)
	r.log.Debug("peer closed", "peer", string(s.ID()), "cause", cause)
}

package rendition

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// swarms are those that a rendition joined, one for each generation.
type swarms struct {
	mu     sync.Mutex
	joined map[identity.Generation]*mesh.Swarm
	hashes []identity.InfoHash // claimed
}

// Join enters the swarm of each generation; two renditions with the same
// properties share one swarm, which the first of them joins.
func (r *Rendition) Join(ctx context.Context, swarmID string) error {
	cfg := &r.shared.Settings
	if r.shared.Node == nil || len(cfg.Trackers) == 0 {
		return nil
	}
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	if r.shared.Draining() {
		return nil
	}
	for _, g := range cfg.Generations {
		hash := r.info.InfoHash(g, swarmID)
		if !r.shared.Claim(hash) {
			r.log.Info("another rendition has the same identity and serves its swarm", "generation", string(g))
			continue
		}
		r.swarms.hashes = append(r.swarms.hashes, hash)
		prefix, offers := identity.ViewerPrefix, 0 // the mesh's default
		if cfg.Seeder {
			prefix = identity.SeederPrefix
			offers = -1 // viewers offer; answering costs a connection only when one is wanted
		}
		id, err := identity.NewPeerID(prefix, rand.Reader)
		if err != nil {
			return fmt.Errorf("making peer id: %w", err)
		}
		swarm, err := r.shared.Node.Join(ctx, mesh.SwarmConfig{
			InfoHash: hash, PeerID: id, Trackers: cfg.Trackers,
			MaxPeers: cfg.MaxPeers, Offers: offers, Handler: &handler{r: r, generation: g},
		})
		if err != nil {
			return err
		}
		r.swarms.joined[g] = swarm
	}
	return nil
}

// Leave leaves all swarms and ends Run.
func (r *Rendition) Leave() {
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	for g, s := range r.swarms.joined {
		s.Leave()
		delete(r.swarms.joined, g)
	}
	r.stop()
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

var errTooManyPeers = errors.New("peer limit reached")

// handler makes a session of each connection of one swarm.
type handler struct {
	r          *Rendition
	generation identity.Generation
	sessions   sync.Map // *mesh.Peer → *session.Session
}

func (h *handler) PeerOpened(p *mesh.Peer) {
	r := h.r
	if !r.shared.Peers.opened(r.shared.Settings.MaxPeers, time.Now()) {
		r.shared.Counters.Disconnects[traffic.PeerLimit].Add(1)
		p.Close(errTooManyPeers)
		return
	}
	s := session.New(r.ctx, &r.sessionConfig, h.generation, p)
	h.sessions.Store(p, s)
	r.mail.Post(func() { r.opened(s) })
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
	r.met.Store(true)
	r.log.Debug("peer connected", "peer", string(s.ID()), "generation", string(s.Generation()))
	if !r.shared.Settings.UploadDisabled {
		s.SendEncoded(r.announcer.last[s.Generation()].messages)
	}
}

func (r *Rendition) closed(s *session.Session, cause error) {
	for i, other := range r.sessions {
		if other == s {
			r.sessions = append(r.sessions[:i], r.sessions[i+1:]...)
			break
		}
	}
	for _, seg := range r.segments.order {
		if seg.notFrom == s {
			seg.notFrom = nil
		}
	}
	r.log.Debug("peer closed", "peer", string(s.ID()), "cause", cause)
}

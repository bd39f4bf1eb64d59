package swarm

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Socket is one client connection as one Core sees it. Ref is the caller's; the rest belongs to the Core.
type Socket struct {
	// Ref is whatever the caller needs to find the connection again.
	Ref any
	// Seeder says that the client presented the seeder token.
	Seeder bool

	peers     []*Peer
	closed    bool
	conflicts int
	// degree is the sum of the peers' degrees; the report is what the seeder said of itself.
	degree         int
	reportedPeers  int
	reportedLimit  int
	degreeAtReport int
}

// load returns how many connections a seeder has, as far as is known, and how many it may have. A report covers
// all swarms, also those of other shards; what was arranged here since comes on top.
func (s *Socket) load(c Config) (load, limit int) {
	limit = c.SeederPeers
	load = s.degree
	if s.reportedLimit > 0 {
		limit = s.reportedLimit
		load = max(load, s.reportedPeers+s.degree-s.degreeAtReport)
	}
	return load, limit
}

// Peer is a member of one swarm.
type Peer struct {
	id    signaling.ID
	sock  *Socket
	swarm *Swarm // nil once the peer is gone

	complete bool
	// lonely counts announces in a row that found the swarm empty.
	lonely int

	relations []relation
	// degree counts relations that are, may become or, by the peer's own silence, count as connections; links
	// those that were answered, seeders those with seeders that are not given up.
	degree, links, seeders int

	place place // in the index of the swarm
	bare  int   // position among the viewers without a seeder, −1 if not there

	// inbox is how many offers the peer may be given as of inboxAt.
	inbox   float64
	inboxAt time.Time

	interval time.Duration
	deadline time.Time
	turn     turn
}

// takes returns how many offers p may be given now.
func (p *Peer) takes(now time.Time) float64 {
	burst, rate := p.swarm.cfg.inbox(p.sock)
	if p.inboxAt.IsZero() {
		return burst
	}
	return min(burst, p.inbox+max(0, now.Sub(p.inboxAt).Seconds())*rate)
}

// given notes that p was given an offer.
func (p *Peer) given(now time.Time) {
	p.inbox, p.inboxAt = p.takes(now)-1, now
}

// ID returns the peer's id.
func (p *Peer) ID() signaling.ID { return p.id }

// Seeder reports whether the peer is a seeder.
func (p *Peer) Seeder() bool { return p.sock.Seeder }

// relation is what the tracker knows of a pair; both sides hold one.
type relation struct {
	peer *Peer
	// at is when the last offer was passed on, or answered.
	at time.Time
	// key is that of the last offer's id.
	key     uint64
	mine    bool // the last offer was this side's
	pending bool // it may still be answered
	linked  bool // an offer was answered
}

// counts reports whether the relation stands for a connection in the degree of the side that holds it.
func (r *relation) counts() bool { return r.linked || r.pending || !r.mine }

// relation returns what p has with q, or nil. The shorter of the two lists is searched.
func (p *Peer) relation(q *Peer) *relation {
	if len(q.relations) < len(p.relations) {
		if q.find(p) < 0 {
			return nil
		}
	}
	if i := p.find(q); i >= 0 {
		return &p.relations[i]
	}
	return nil
}

// related is relation without needing p's own side of it.
func (p *Peer) related(q *Peer) bool {
	if len(q.relations) < len(p.relations) {
		p, q = q, p
	}
	return p.find(q) >= 0
}

func (p *Peer) find(q *Peer) int {
	for i := range p.relations {
		if p.relations[i].peer == q {
			return i
		}
	}
	return -1
}

// forget removes relation i of p. The degrees are the caller's business.
func (p *Peer) forget(i int) {
	last := len(p.relations) - 1
	p.relations[i] = p.relations[last]
	p.relations[last] = relation{}
	p.relations = p.relations[:last]
}

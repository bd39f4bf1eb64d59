package swarm

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Socket is one client connection as one Core sees it. Ref is the caller's; the rest belongs to the Core.
type Socket struct {
	// Ref identifies the connection for the caller.
	Ref any
	// Seeder says that the client presented the seeder token.
	Seeder bool

	peers     []*Peer
	closed    bool
	conflicts int
	// degree is the sum of the peers' degrees; the reported fields are from the seeder's last report.
	degree         int
	reportedPeers  int
	reportedLimit  int
	degreeAtReport int
}

// load returns how many connections a seeder has, as far as is known, and how many it may have. A report covers
// all swarms, including those of other shards; connections relayed here since the report are added.
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
	// lonely counts consecutive announces that found the swarm otherwise empty.
	lonely int

	relations []relation
	// degree counts the relations for which relation.counts is true, links those that were answered, and seeders those
	// with seeders that count.
	degree, links, seeders int

	place      place // in the index of the swarm
	seederless int   // position in Swarm.seederless, −1 if not listed

	// offers has a token for each offer that may be sent to the peer.
	offers tokenbucket.Bucket

	interval time.Duration
	deadline time.Time
	slotAt   wheelSlot
}

// offersAllowed returns how many offers may be sent to p now.
func (p *Peer) offersAllowed(now time.Time) float64 {
	// A seeder whose limit has become lower may owe some.
	return max(0, p.offers.Left(p.swarm.cfg.offerLimit(p.sock), time.Duration(now.UnixNano())))
}

// noteOffer notes that an offer was sent to p.
func (p *Peer) noteOffer(now time.Time) {
	p.offers.Spend(p.swarm.cfg.offerLimit(p.sock), 1, time.Duration(now.UnixNano()))
}

// ID returns the peer's id.
func (p *Peer) ID() signaling.ID { return p.id }

// Seeder reports whether the peer is a seeder.
func (p *Peer) Seeder() bool { return p.sock.Seeder }

// relation is what the tracker knows about a pair of peers; both sides hold one.
type relation struct {
	peer *Peer
	// at is when the last offer was relayed, or answered.
	at time.Time
	// key is the key of the last offer's id.
	key     uint64
	mine    bool // the last offer was this side's
	pending bool // it may still be answered
	linked  bool // an offer was answered
}

// counts reports whether the relation counts as a connection of the side that holds it: it is answered, may still be
// answered, or this side left the other's offer unanswered.
func (r *relation) counts() bool { return r.linked || r.pending || !r.mine }

// relation returns p's relation to q, or nil. The shorter of the two lists is searched first.
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

// related reports whether the two peers have a relation. It is cheaper than relation, which returns p's side.
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

// forget removes relation i of p. The caller updates the degrees.
func (p *Peer) forget(i int) {
	last := len(p.relations) - 1
	p.relations[i] = p.relations[last]
	p.relations[last] = relation{}
	p.relations = p.relations[:last]
}

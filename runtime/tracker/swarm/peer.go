package swarm

import (
	"net/netip"
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
	// Join tells seeders apart that did not present the token itself but a credential that was made from it: its id.
	Join string
	// Source is the address that counts as one client's; sockets without one are not limited by it.
	Source netip.Addr
	// Place is where the client is. It is set before the socket's first message, and changed by Core.Move.
	Place Place

	// heard is when the client last sent something. reporting is since when it reports what it delivers, reported when it
	// last did, and rhythm the time between two reports.
	heard, reporting, reported time.Time
	rhythm                     time.Duration
	delivered                  decaying

	peers  []*Peer
	closed bool
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

// member identifies a peer of a swarm: ids are not secret, and several sockets may use one.
type member struct {
	sock *Socket
	id   signaling.ID
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
	// degree counts the relations for which relation.counts is true, links those for which relation.real is, failed those
	// for which relation.failed is. Of those with seeders that p takes segments from, insiders counts the ones that
	// Peer.insider is true for, and seeders the others.
	degree, links, failed, seeders, insiders int
	// offering says that the last announce came with offers, seeking that they are for seeders.
	offering, seeking bool

	// group is that of a viewer, cell the same if it is part of a site. Both are nil for seeders, and for viewers whose peering
	// is off.
	group *group
	cell  *cell
	// joined and order are when the peer joined.
	joined  time.Time
	order   uint64
	gateway gateway
	noted   bool // it is in Swarm.noted

	place place // in the index of the group or, of a seeder, of the swarm
	inner place // of a seeder in the index of its site
	// Positions in Swarm.seederless, site.seederless, Swarm.crossing and cell.members, −1 if not listed.
	seederless, insideless, crossing, memberAt int

	// asked says that a seeder was asked for offers that it has not sent yet, at askedAt, and for how many. vain counts how
	// often in a row that led to nothing.
	asked    bool
	askedAt  time.Time
	askedFor int
	vain     int

	// offers has a token for each offer that may be sent to the peer.
	offers tokenbucket.Bucket

	interval time.Duration
	deadline time.Time
	slotAt   wheelSlot
}

// takesFrom reports whether p gets segments from q, a seeder.
func (p *Peer) takesFrom(q *Peer) bool {
	return q.sock.Seeder && (!p.sock.Seeder || p.sock.Place.fillsFrom(&q.sock.Place))
}

// insider reports whether a seeder that p takes segments from is in p's site, or one that shares p's work.
func (p *Peer) insider(q *Peer) bool {
	return p.sock.Place.inside(&q.sock.Place) || share(p.sock, q.sock)
}

// doubtful reports whether so many introductions of a viewer led to no connection that it may be one that never connects.
func (p *Peer) doubtful() bool { return p.failed >= 4 && p.failed > p.links }

// trusted reports whether a connection to p is taken to exist although that was not checked.
func (p *Peer) trusted() bool { return p.sock.Seeder || p.offering && !p.doubtful() }

// filled is how many of p's connections take up room: those to trusted peers, and those that p has confirmed by ignoring a
// repeated offer. It is at most p.degree.
func (p *Peer) filled() (n int) {
	for i := range p.relations {
		if r := &p.relations[i]; r.counts() && (r.ignored || r.peer.trusted()) {
			n++
		}
	}
	return n
}

// room is how many more connections p may get if most fill it. Those that do not fill it are limited as well.
func (p *Peer) room(most int) int {
	if p.degree < most {
		return most - p.degree
	}
	return min(most-p.filled(), 2*most-p.degree)
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

// offerer returns the peer whose offer p may still answer: one with the given id, whose last offer to p has the given key.
func (p *Peer) offerer(id signaling.ID, key uint64) *Peer {
	for i := range p.relations {
		if r := &p.relations[i]; r.key == key && r.pending && !r.mine && r.peer.id == id {
			return r.peer
		}
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

package swarm

import (
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Counts are the sizes of one swarm. Only the owning Core writes; anybody may read.
type Counts struct {
	// Peers are all members, Seeders those that presented the seeder token.
	Peers, Seeders atomic.Int64
	// Complete are members that declared to have everything, and seeders; Downloaded how often that was declared.
	Complete, Downloaded atomic.Int64
}

// Swarm is the set of peers of one info hash.
type Swarm struct {
	cfg    *Config
	hash   signaling.ID
	byID   map[signaling.ID]*Peer
	counts *Counts
	// viewers by degree, seeders by load.
	viewers, seeders index
	// bare are the viewers without a seeder, in no order.
	bare []*Peer
}

func newSwarm(cfg *Config, hash signaling.ID) *Swarm {
	return &Swarm{cfg: cfg, hash: hash, byID: make(map[signaling.ID]*Peer), counts: new(Counts)}
}

// join makes a new member.
func (s *Swarm) join(id signaling.ID, sock *Socket) *Peer {
	p := &Peer{id: id, sock: sock, swarm: s, bare: -1}
	s.byID[id] = p
	sock.peers = append(sock.peers, p)
	s.counts.Peers.Add(1)
	if sock.Seeder {
		s.counts.Seeders.Add(1)
		s.setComplete(p)
		s.seeders.add(p, s.bucket(p))
		return p
	}
	s.viewers.add(p, s.bucket(p))
	s.updateBare(p)
	return p
}

// leave removes a member; its acquaintances have one connection less.
func (s *Swarm) leave(p *Peer) {
	for len(p.relations) > 0 {
		s.part(p, len(p.relations)-1)
	}
	p.relations = nil
	if p.sock.Seeder {
		s.seeders.remove(p)
		s.counts.Seeders.Add(-1)
	} else {
		s.viewers.remove(p)
		s.removeBare(p)
	}
	if p.complete {
		s.counts.Complete.Add(-1)
	}
	s.counts.Peers.Add(-1)
	delete(s.byID, p.id)
	for i, q := range p.sock.peers {
		if q == p {
			last := len(p.sock.peers) - 1
			p.sock.peers[i] = p.sock.peers[last]
			p.sock.peers[last] = nil
			p.sock.peers = p.sock.peers[:last]
			break
		}
	}
	p.swarm = nil
}

func (s *Swarm) setComplete(p *Peer) {
	if !p.complete {
		p.complete = true
		s.counts.Complete.Add(1)
	}
}

// offered notes that an offer of from was passed on to to.
func (s *Swarm) offered(from, to *Peer, key uint64, now time.Time) {
	to.given(now)
	a, b := from.relation(to), to.relation(from)
	if a == nil {
		from.relations = append(from.relations, relation{peer: to})
		to.relations = append(to.relations, relation{peer: from})
		a, b = &from.relations[len(from.relations)-1], &to.relations[len(to.relations)-1]
		s.count(from, to, 1, 1)
	} else {
		// Known to each other: the offerer's side may not have counted while it was silent.
		s.count(from, to, one(!a.counts()), one(!b.counts()))
	}
	*a = relation{peer: to, at: now, key: key, mine: true, pending: true, linked: a.linked}
	*b = relation{peer: from, at: now, key: key, mine: false, pending: true, linked: b.linked}
}

// answered notes that the pending offer of offerer was answered.
func (s *Swarm) answered(offerer, answerer *Peer, now time.Time) {
	a, b := offerer.relation(answerer), answerer.relation(offerer)
	if !a.linked {
		offerer.links++
		answerer.links++
	}
	for _, r := range []*relation{a, b} {
		r.pending, r.linked, r.at = false, true, now
	}
}

// lapsed notes that an offer was not answered in time.
func (s *Swarm) lapsed(offerer, answerer *Peer, at time.Time) {
	a, b := offerer.relation(answerer), answerer.relation(offerer)
	if a == nil || !a.pending || !a.mine || !a.at.Equal(at) {
		return
	}
	a.pending, b.pending = false, false
	if !a.linked {
		// The offerer is free for others; the silent one is charged until the relation is forgotten.
		s.count(offerer, answerer, -1, 0)
	}
}

// part forgets relation i of p on both sides.
func (s *Swarm) part(p *Peer, i int) {
	r := p.relations[i]
	q := r.peer
	j := q.find(p)
	other := q.relations[j]
	p.forget(i)
	q.forget(j)
	if r.linked {
		p.links--
		q.links--
	}
	s.count(p, q, -one(r.counts()), -one(other.counts()))
}

// prune forgets the relations of p that say nothing any more: offers that were not answered two intervals ago.
func (s *Swarm) prune(p *Peer, now time.Time) {
	keep := s.cfg.retryAfter(p.interval)
	for i := len(p.relations) - 1; i >= 0; i-- {
		if r := &p.relations[i]; !r.linked && !r.pending && now.Sub(r.at) >= keep {
			s.part(p, i)
		}
	}
}

// count changes the degrees of a pair and keeps the indexes right.
func (s *Swarm) count(p, q *Peer, dp, dq int) {
	s.changeDegree(p, dp)
	s.changeDegree(q, dq)
	s.countSeeder(p, q, dp)
	s.countSeeder(q, p, dq)
}

func (s *Swarm) countSeeder(viewer, seeder *Peer, d int) {
	if viewer.sock.Seeder || !seeder.sock.Seeder || d == 0 {
		return
	}
	viewer.seeders += d
	s.updateBare(viewer)
}

func (s *Swarm) changeDegree(p *Peer, d int) {
	if d == 0 {
		return
	}
	p.degree += d
	p.sock.degree += d
	if p.sock.Seeder {
		rebucket(p.sock)
		return
	}
	s.viewers.move(p, s.bucket(p))
}

// rebucket moves all peers of a seeder: its load is one for all its swarms.
func rebucket(sock *Socket) {
	for _, p := range sock.peers {
		p.swarm.seeders.move(p, p.swarm.bucket(p))
	}
}

// bucket is the class of busyness of a peer.
func (s *Swarm) bucket(p *Peer) int {
	if !p.sock.Seeder {
		return min(p.degree, buckets-1)
	}
	load, limit := p.sock.load(*s.cfg)
	if load >= limit {
		return saturated
	}
	return max(0, load) * saturated / limit
}

// updateBare keeps p in the list of viewers without a seeder, or out of it.
func (s *Swarm) updateBare(p *Peer) {
	switch {
	case p.seeders > 0:
		s.removeBare(p)
	case p.bare < 0:
		p.bare = len(s.bare)
		s.bare = append(s.bare, p)
	}
}

func (s *Swarm) removeBare(p *Peer) {
	if p.bare < 0 {
		return
	}
	last := s.bare[len(s.bare)-1]
	s.bare[p.bare] = last
	last.bare = p.bare
	s.bare[len(s.bare)-1] = nil
	s.bare = s.bare[:len(s.bare)-1]
	p.bare = -1
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

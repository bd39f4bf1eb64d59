package swarm

import (
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Counts are the sizes of one swarm. Only the owning Core writes; concurrent reads are safe.
type Counts struct {
	// Peers are all members, Seeders those that presented the seeder token.
	Peers, Seeders atomic.Int64
	// Complete are members that announced a complete download, and seeders; Downloaded counts "completed" events.
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
	// seederless are the viewers without a seeder, in no order.
	seederless []*Peer
}

func newSwarm(cfg *Config, hash signaling.ID) *Swarm {
	return &Swarm{cfg: cfg, hash: hash, byID: make(map[signaling.ID]*Peer), counts: new(Counts)}
}

// join makes a new member.
func (s *Swarm) join(id signaling.ID, sock *Socket) *Peer {
	p := &Peer{id: id, sock: sock, swarm: s, seederless: -1}
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
	s.updateSeederless(p)
	return p
}

// leave removes a member; each peer that it was related to has one connection less.
func (s *Swarm) leave(p *Peer) {
	for len(p.relations) > 0 {
		s.forgetPair(p, len(p.relations)-1)
	}
	p.relations = nil
	if p.sock.Seeder {
		s.seeders.remove(p)
		s.counts.Seeders.Add(-1)
	} else {
		s.viewers.remove(p)
		s.removeSeederless(p)
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

// offered records that an offer of from was relayed to to.
func (s *Swarm) offered(from, to *Peer, key uint64, now time.Time) {
	to.noteOffer(now)
	a, b := from.relation(to), to.relation(from)
	if a == nil {
		from.relations = append(from.relations, relation{peer: to})
		to.relations = append(to.relations, relation{peer: from})
		a, b = &from.relations[len(from.relations)-1], &to.relations[len(to.relations)-1]
		s.count(from, to, 1, 1)
	} else {
		// The pair has a relation already; an earlier offer that expired no longer counts for its offerer.
		s.count(from, to, asInt(!a.counts()), asInt(!b.counts()))
	}
	*a = relation{peer: to, at: now, key: key, mine: true, pending: true, linked: a.linked}
	*b = relation{peer: from, at: now, key: key, mine: false, pending: true, linked: b.linked}
}

// answered records that the pending offer of offerer was answered.
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

// offerExpired records that an offer was not answered in time.
func (s *Swarm) offerExpired(offerer, answerer *Peer, at time.Time) {
	a, b := offerer.relation(answerer), answerer.relation(offerer)
	if a == nil || !a.pending || !a.mine || !a.at.Equal(at) {
		return
	}
	a.pending, b.pending = false, false
	if !a.linked {
		// The offerer may connect to other peers; the silent recipient keeps the connection in its degree until the
		// relation is forgotten.
		s.count(offerer, answerer, -1, 0)
	}
}

// forgetPair removes relation i of p on both sides.
func (s *Swarm) forgetPair(p *Peer, i int) {
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
	s.count(p, q, -asInt(r.counts()), -asInt(other.counts()))
}

// prune removes outdated relations of p: offers that expired unanswered two intervals ago.
func (s *Swarm) prune(p *Peer, now time.Time) {
	keep := s.cfg.retryAfter(p.interval)
	for i := len(p.relations) - 1; i >= 0; i-- {
		if r := &p.relations[i]; !r.linked && !r.pending && now.Sub(r.at) >= keep {
			s.forgetPair(p, i)
		}
	}
}

// count changes the degrees of a pair and updates the indexes.
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
	s.updateSeederless(viewer)
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

// rebucket moves all peers of a seeder to the class of its load, which is the same in all its swarms.
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

// updateSeederless adds p to the list of viewers without a seeder, or removes it.
func (s *Swarm) updateSeederless(p *Peer) {
	switch {
	case p.seeders > 0:
		s.removeSeederless(p)
	case p.seederless < 0:
		p.seederless = len(s.seederless)
		s.seederless = append(s.seederless, p)
	}
}

func (s *Swarm) removeSeederless(p *Peer) {
	if p.seederless < 0 {
		return
	}
	last := s.seederless[len(s.seederless)-1]
	s.seederless[p.seederless] = last
	last.seederless = p.seederless
	s.seederless[len(s.seederless)-1] = nil
	s.seederless = s.seederless[:len(s.seederless)-1]
	p.seederless = -1
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

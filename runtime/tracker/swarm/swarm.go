package swarm

import (
	"net/netip"
	"sync/atomic"

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
	cfg  *Config
	hash signaling.ID
	// members are all peers. latest is, of those with one id, the one that joined last.
	members map[member]*Peer
	latest  map[signaling.ID]*Peer
	counts  *Counts
	// sources counts the viewers of each source.
	sources map[netip.Addr]int
	// viewers by degree, seeders by load.
	viewers, seeders index
	// seederless are the viewers without a seeder, in no order.
	seederless []*Peer
}

func newSwarm(cfg *Config, hash signaling.ID) *Swarm {
	return &Swarm{cfg: cfg, hash: hash, members: make(map[member]*Peer), latest: make(map[signaling.ID]*Peer),
		counts: new(Counts), sources: make(map[netip.Addr]int)}
}

// join makes a new member.
func (s *Swarm) join(id signaling.ID, sock *Socket) *Peer {
	p := &Peer{id: id, sock: sock, swarm: s, seederless: -1}
	s.members[member{sock, id}], s.latest[id] = p, p
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
	if sock.Source.IsValid() {
		s.sources[sock.Source]++
	}
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
		s.leaveSource(p.sock.Source)
	}
	if p.complete {
		s.counts.Complete.Add(-1)
	}
	s.counts.Peers.Add(-1)
	delete(s.members, member{p.sock, p.id})
	if s.latest[p.id] == p {
		delete(s.latest, p.id)
	}
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

func (s *Swarm) leaveSource(source netip.Addr) {
	if !source.IsValid() {
		return
	}
	if s.sources[source]--; s.sources[source] == 0 {
		delete(s.sources, source)
	}
}

// setOffering notes whether a peer makes offers.
func (s *Swarm) setOffering(p *Peer, offering bool) {
	p.offering = offering
	s.changeDegree(p, 0)
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
	p.degree += d
	p.sock.degree += d
	if !p.sock.Seeder {
		s.viewers.move(p, s.bucket(p))
		return
	}
	if d != 0 {
		rebucket(p.sock)
	}
}

// rebucket moves all peers of a seeder to the class of its load, which is the same in all its swarms.
func rebucket(sock *Socket) {
	for _, p := range sock.peers {
		p.swarm.seeders.move(p, p.swarm.bucket(p))
	}
}

// bucket is the class of busyness of a peer. Of a viewer, introductions that led to no connection count as well: a peer that
// never connects would otherwise always be the least connected one, and be given the offers of all others. Peers that are not trusted come
// last.
func (s *Swarm) bucket(p *Peer) int {
	if !p.sock.Seeder {
		if !p.trusted() {
			return untrusted + min(p.degree, buckets-untrusted-1)
		}
		return min(p.degree+p.failed, untrusted-1)
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

package swarm

import (
	"net/netip"
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
	cfg   *Config
	clock *time.Time // the latest time that the Core was given
	stats *Stats
	hash  signaling.ID
	// group is the viewers without sites, elsewhere those outside of all sites, nil without any; all others are in a cell.
	group
	elsewhere *group
	sites     map[string]*site
	siteList  []*site // the same, in the order in which they came
	// members are all peers. latest is, of those with one id, the one that joined last.
	members map[member]*Peer
	latest  map[signaling.ID]*Peer
	counts  *Counts
	// joins counts them, to order peers that came at the same time.
	joins uint64
	// seeders that serve all sites, by load.
	seeders index
	// seederless are the viewers that want one of these and have none.
	seederless list
	// crossing are the gateways of sites whose gateways meet.
	crossing list
	// noted are viewers that seeders are to be told of again.
	noted []*Peer
	// followed says that Tick looks after the swarm, merged when it last looked for cells to merge.
	followed bool
	merged   time.Time
}

func newSwarm(c *Core, hash signaling.ID) *Swarm {
	return &Swarm{cfg: &c.cfg, clock: &c.clock, stats: &c.Stats, hash: hash, members: make(map[member]*Peer), latest: make(map[signaling.ID]*Peer),
		group: group{sources: make(map[netip.Addr]int)}, counts: new(Counts),
		seederless: list{pos: ofSeederless}, crossing: list{pos: ofCrossing}}
}

// join makes a new member.
func (s *Swarm) join(id signaling.ID, sock *Socket) *Peer {
	s.joins++
	p := &Peer{id: id, sock: sock, swarm: s, place: place{-1, 0}, inner: place{-1, 0}, seederless: -1, insideless: -1, crossing: -1,
		memberAt: -1, joined: *s.clock, order: s.joins}
	s.members[member{sock, id}], s.latest[id] = p, p
	sock.peers = append(sock.peers, p)
	s.counts.Peers.Add(1)
	if sock.Seeder {
		s.counts.Seeders.Add(1)
		s.setComplete(p)
		s.enterSeeder(p)
		return p
	}
	s.enter(p)
	return p
}

// leave removes a member; each peer that it was related to has one connection less.
func (s *Swarm) leave(p *Peer) {
	for len(p.relations) > 0 {
		s.forgetPair(p, len(p.relations)-1)
	}
	p.relations = nil
	if p.sock.Seeder {
		s.exitSeeder(p)
		s.counts.Seeders.Add(-1)
	} else {
		s.exit(p)
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

func (s *Swarm) countSeeder(taker, seeder *Peer, d int) {
	if !taker.takesFrom(seeder) || d == 0 && taker.cell == nil {
		return
	}
	if taker.insider(seeder) {
		taker.insiders += d
	} else {
		taker.seeders += d
	}
	s.updateSeederless(taker)
}

func (s *Swarm) changeDegree(p *Peer, d int) {
	p.degree += d
	p.sock.degree += d
	if !p.sock.Seeder {
		if p.place.bucket >= 0 {
			p.group.viewers.move(p, s.bucket(p))
		}
		return
	}
	if d != 0 {
		rebucket(p.sock)
	}
}

// rebucket moves all peers of a seeder to the class of its load, which is the same in all its swarms.
func rebucket(sock *Socket) {
	for _, p := range sock.peers {
		p.swarm.moveSeeder(p)
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

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

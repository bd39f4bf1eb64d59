package swarm

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Delivery is a message for one socket, or a request to check whether the socket is still alive.
type Delivery struct {
	To *Socket
	// Payload is the message; it is valid until the next call of the Core. Empty if Probe.
	Payload []byte
	// Probe asks to ping the socket and to close it if no reply arrives soon: another socket uses one of its ids, as a client
	// does that returns after its network failed.
	Probe bool
}

// Registry is notified of created and removed swarms and may refuse new ones. It must not call the Core.
type Registry interface {
	// Add returns false if there are too many swarms; seeder is true if a seeder creates the swarm.
	Add(hash signaling.ID, counts *Counts, seeder bool) bool
	Remove(hash signaling.ID)
}

// Stats count what a Core did. Only the Core writes; concurrent reads are safe.
type Stats struct {
	// Announces handled, and what became of their offers.
	Announces, OffersRelayed, OffersToSeeders, OffersUnused atomic.Uint64
	// Answers passed on, and dropped: to peers that have left, without an offer of that id relayed to the
	// sender in time, or in the name of a peer that the socket has not announced.
	AnswersRelayed, AnswersDeparted, AnswersUnknown, AnswersForeign atomic.Uint64
	// Joins, departures by message or closed socket, expiries of silent peers, moves of seeders to a new socket.
	Joins, Departures, Expiries, Moves atomic.Uint64
	// OffersHeldBack counts peers that were skipped because too many offers had been sent to them, OffersAbovePending
	// offers that were not relayed because too many wait for answers. Pending is how many wait, as of the last expiry.
	OffersHeldBack, OffersAbovePending atomic.Uint64
	Pending                            atomic.Int64
	// SharedIDs are joins with a peer id of another live socket. Reserved are announces refused because only a seeder may use
	// the id; SwarmFull and SwarmsFull are announces refused by a limit.
	SharedIDs, Reserved, SwarmFull, SwarmsFull atomic.Uint64
	// OffersRepeated are offers to viewers that had answered one of the same peer, and FailedLinks those of them that were
	// answered: the pair was not connected.
	OffersRepeated, FailedLinks atomic.Uint64
	// LostLinks are connections that seeders reported as lost while the other side was still there.
	LostLinks atomic.Uint64
	// OffersRequested are offers that seeders were asked for, Nudges announces that viewers were asked for, CellsMerged cells of
	// sites that were given up. Successors are viewers that became gateways because another one left, was silent, did not
	// connect, or delivered nothing.
	// PlacesTold are messages that told seeders where a viewer is now.
	OffersRequested, Nudges, CellsMerged, PlacesTold atomic.Uint64
	Successors                                       [Causes]atomic.Uint64
	// Gateways and Cells are how many there are now, over all swarms.
	Gateways, Cells atomic.Int64
	// SourceHits counts viewers that were skipped because the pair has too many peers of each other's source.
	SourceHits atomic.Uint64
}

// Core is the state of one shard: the swarms whose info hashes belong to it.
type Core struct {
	// Stats may be read at any time.
	Stats Stats

	cfg      Config
	registry Registry
	rnd      *rand.Rand
	swarms   map[signaling.ID]*Swarm
	pending  fifo
	wheel    wheel
	clock    time.Time // the latest time that was given
	sited    []*Swarm  // those with sites

	// Scratch space, valid until the next call.
	out    []Delivery
	buf    []byte
	routed []*Peer
}

// NewCore returns an empty shard. registry may be nil: no limit on swarms.
func NewCore(cfg Config, registry Registry, rnd *rand.Rand) *Core {
	return &Core{cfg: cfg, registry: registry, rnd: rnd, swarms: make(map[signaling.ID]*Swarm)}
}

// Handle processes an announce or an answer of a socket and returns what to deliver, in order; the result is valid until the
// next call. Scrapes are answered elsewhere: they may span several shards.
func (c *Core) Handle(sock *Socket, m *signaling.ClientMessage, now time.Time) []Delivery {
	c.begin(now)
	if sock.closed {
		return nil
	}
	c.heard(sock, now)
	c.expireOffers(now)
	switch m.Action {
	case signaling.ActionAnnounce:
		c.announce(sock, m, now)
	case signaling.ActionAnswer:
		c.answer(sock, m, now)
	}
	return c.out
}

// begin begins a call.
func (c *Core) begin(now time.Time) {
	c.out, c.buf, c.clock = c.out[:0], c.buf[:0], now
}

func (c *Core) announce(sock *Socket, m *signaling.ClientMessage, now time.Time) {
	c.Stats.Announces.Add(1)
	s := c.swarms[m.InfoHash]
	var p *Peer
	if s != nil {
		p = s.members[member{sock, m.PeerID}]
	}
	if m.Event == signaling.EventStopped {
		c.stopped(s, p, sock, m)
		return
	}
	joined := p == nil
	if joined {
		if !sock.Seeder && c.cfg.SeederPrefix != "" && strings.HasPrefix(string(m.PeerID[:]), c.cfg.SeederPrefix) {
			c.Stats.Reserved.Add(1)
			c.fail(sock, m, "peer ids that begin with "+c.cfg.SeederPrefix+" are for seeders with a token")
			return
		}
		c.replace(s, sock, m.PeerID)
		if p = c.join(s, sock, m); p == nil {
			return
		}
		s = p.swarm
		c.tellSeeders(s) // before p has relations: its offers say where it is
	}
	c.noteCompletion(s, p, m)
	s.prune(p, now)
	var lost int
	if len(m.Lost) > 0 && sock.Seeder {
		lost = c.lost(s, p, m.Lost)
	} else {
		s.setOffering(p, len(m.Offers) > 0)
	}
	p.seeking = m.ToSeeders
	s.updateSeederless(p) // what it knows of seeders may have changed
	offers := len(m.Offers)
	if m.NumWant >= 0 {
		offers = min(offers, m.NumWant)
	}
	if room := c.cfg.PendingOffers - c.pending.len(); offers > room {
		c.Stats.OffersAbovePending.Add(uint64(offers - room))
		offers = room
	}
	var skipped skips
	c.routed, skipped = route(s, p, offers, now, c.rnd, c.routed[:0])
	c.Stats.OffersHeldBack.Add(uint64(skipped.held))
	c.Stats.SourceHits.Add(uint64(skipped.source))
	if s.others(p) > 0 {
		p.lonely = 0
	} else {
		p.lonely++
	}
	p.interval = s.interval(p, c.rnd)
	p.deadline = now.Add(2*p.interval + c.cfg.Slack)
	c.wheel.add(p, now)
	c.reply(sock, s, p.interval, p)
	for i, to := range c.routed {
		o, where := m.Offers[i], origin(p, to)
		c.deliver(to.sock, func(b []byte) []byte { return signaling.AppendRelayedOffer(b, s.hash, p.id, o, where) })
		key := o.ID.Key()
		s.offered(p, to, key, now)
		c.pending.push(offer{p, to, now})
		switch {
		case to.sock.Seeder:
			c.Stats.OffersToSeeders.Add(1)
		case p.relation(to).linked:
			c.Stats.OffersRepeated.Add(1)
		}
	}
	c.Stats.Pending.Store(int64(c.pending.len()))
	c.Stats.OffersRelayed.Add(uint64(len(c.routed)))
	c.Stats.OffersUnused.Add(uint64(len(m.Offers) - len(c.routed)))
	if sock.Seeder && !p.seeking && len(c.routed) > 0 {
		p.asked, p.vain = false, 0
	}
	clear(c.routed)
	if lost > 0 && s.bucket(p) != saturated {
		c.askOne(s, p, lost, now)
	}
	if joined && sock.Seeder && !sock.Place.Edge {
		c.nudgeEdges(s)
	}
	c.settle(s, now)
}

// join adds a member, or sends the reason for refusing it and returns nil.
func (c *Core) join(s *Swarm, sock *Socket, m *signaling.ClientMessage) *Peer {
	if s == nil {
		s = newSwarm(c, m.InfoHash)
		if c.registry != nil && !c.registry.Add(m.InfoHash, s.counts, sock.Seeder) {
			c.Stats.SwarmsFull.Add(1)
			c.fail(sock, m, "tracker has too many swarms")
			return nil
		}
		c.swarms[m.InfoHash] = s
	}
	// Seeders are few and known: a full swarm needs them most.
	if len(s.members) >= c.cfg.PeersPerSwarm && !sock.Seeder {
		c.Stats.SwarmFull.Add(1)
		c.fail(sock, m, "swarm is full")
		return nil
	}
	c.Stats.Joins.Add(1)
	return s.join(m.PeerID, sock)
}

func (c *Core) noteCompletion(s *Swarm, p *Peer, m *signaling.ClientMessage) {
	if m.Event == signaling.EventCompleted && !p.complete {
		s.counts.Downloaded.Add(1)
	}
	if m.Complete || m.Event == signaling.EventCompleted {
		s.setComplete(p)
	}
}

// stopped handles an announce with event "stopped" and replies to it, as bittorrent-tracker does; clients accept that.
func (c *Core) stopped(s *Swarm, p *Peer, sock *Socket, m *signaling.ClientMessage) {
	if p != nil {
		c.Stats.Departures.Add(1)
		c.leave(s, p)
	}
	if s == nil {
		c.deliver(sock, func(b []byte) []byte {
			return signaling.AppendReply(b, m.InfoHash, seconds(c.cfg.MaxInterval), 0, 0)
		})
		return
	}
	c.reply(sock, s, c.cfg.MaxInterval, nil)
	c.settle(s, c.clock)
	c.dropIfEmpty(s)
}

// Close forgets a socket and all its peers. It returns what to deliver to others, valid until the next call.
func (c *Core) Close(sock *Socket) []Delivery {
	c.begin(c.clock)
	sock.closed = true
	for len(sock.peers) > 0 {
		p := sock.peers[len(sock.peers)-1]
		s := p.swarm
		c.leave(s, p)
		c.Stats.Departures.Add(1)
		c.settle(s, c.clock)
		c.dropIfEmpty(s)
	}
	return c.out
}

// Forget has one of a socket's ids leave a swarm. It returns what to deliver to others, valid until the next call.
func (c *Core) Forget(sock *Socket, hash, id signaling.ID) []Delivery {
	c.begin(c.clock)
	s := c.swarms[hash]
	if s == nil {
		return nil
	}
	if p := s.members[member{sock, id}]; p != nil {
		c.Stats.Departures.Add(1)
		c.leave(s, p)
		c.settle(s, c.clock)
		c.dropIfEmpty(s)
	}
	return c.out
}

// SetLoad records what a seeder reports: its connections over all swarms and its limit, 0 if it reports none.
func (c *Core) SetLoad(sock *Socket, peers, limit int) {
	if !sock.Seeder || sock.closed {
		return
	}
	sock.reportedPeers = min(max(peers, 0), maxSeederPeers)
	sock.reportedLimit = min(max(limit, 0), maxSeederPeers)
	sock.degreeAtReport = sock.degree
	rebucket(sock)
}

// Tick removes peers and offers that have expired, and looks after gateways; call it about once a second. It returns what to
// deliver, valid until the next call.
func (c *Core) Tick(now time.Time) []Delivery {
	c.begin(now)
	c.expireOffers(now)
	c.wheel.advance(now, func(p *Peer) {
		s := p.swarm
		s.leave(p)
		c.Stats.Expiries.Add(1)
		c.dropIfEmpty(s)
	})
	c.tend(now)
	return c.out
}

// expireOffers forgets offers that can no longer be answered.
func (c *Core) expireOffers(now time.Time) {
	for {
		o, ok := c.pending.due(now.Add(-c.cfg.OfferTTL))
		if !ok {
			c.Stats.Pending.Store(int64(c.pending.len()))
			return
		}
		if s := o.from.swarm; s != nil && o.to.swarm == s {
			s.offerExpired(o.from, o.to, o.at)
		}
	}
}

// leave removes a member and all state of it: a client that joins and leaves all the time must not fill the wheel.
func (c *Core) leave(s *Swarm, p *Peer) {
	c.wheel.remove(p)
	s.leave(p)
}

func (c *Core) dropIfEmpty(s *Swarm) {
	if len(s.members) > 0 {
		return
	}
	delete(c.swarms, s.hash)
	c.unfollow(s)
	if c.registry != nil {
		c.registry.Remove(s.hash)
	}
}

// reply answers an announce of p, nil if that has left. With sites it counts the viewers that p may meet: those among which one
// is to fetch each segment.
func (c *Core) reply(sock *Socket, s *Swarm, interval time.Duration, p *Peer) {
	complete := int(s.counts.Complete.Load())
	incomplete := len(s.members) - complete
	if p != nil && p.group != nil && !sock.Place.open() {
		incomplete = p.group.size
	}
	c.deliver(sock, func(b []byte) []byte {
		return signaling.AppendReply(b, s.hash, seconds(interval), complete, incomplete)
	})
}

func (c *Core) fail(sock *Socket, m *signaling.ClientMessage, reason string) {
	c.deliver(sock, func(b []byte) []byte {
		return signaling.AppendFailure(b, signaling.ActionAnnounce, m.RawInfoHash, reason)
	})
}

// deliver appends a message. Earlier payloads stay valid when the buffer grows: they keep the old array.
func (c *Core) deliver(to *Socket, build func([]byte) []byte) {
	start := len(c.buf)
	c.buf = build(c.buf)
	c.out = append(c.out, Delivery{To: to, Payload: c.buf[start:len(c.buf):len(c.buf)]})
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

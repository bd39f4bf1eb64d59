package swarm

import "time"

// Move notes that a socket's client is in another place, because the map of sites has changed or the client's address was
// learned. It leaves the peers that it may not meet any more, as far as the tracker knows of them: introductions are
// forgotten, and answers to them are dropped. Connections that exist are the peers' own.
func (c *Core) Move(sock *Socket, place Place, now time.Time) []Delivery {
	c.begin(now)
	if sock.closed || sock.Place == place {
		return nil
	}
	for _, p := range sock.peers {
		p.swarm.part(p, place)
		if sock.Seeder {
			p.swarm.exitSeeder(p)
		} else {
			p.swarm.exit(p)
		}
	}
	sock.Place = place
	for _, p := range sock.peers {
		s := p.swarm
		s.recountSeeders(p)
		if sock.Seeder {
			s.enterSeeder(p)
			for i := range p.relations {
				s.note(p.relations[i].peer) // they may be near now, or not any more
			}
		} else {
			s.enter(p)
			s.note(p)
			c.nudge(p)
		}
		c.settle(s, now)
	}
	return c.out
}

// part forgets the relations of p that it may not have in another place.
func (s *Swarm) part(p *Peer, place Place) {
	there := Socket{Seeder: p.sock.Seeder, Place: place}
	for i := len(p.relations) - 1; i >= 0; i-- {
		if !mayMeet(&there, p.relations[i].peer.sock) {
			s.forgetPair(p, i)
		}
	}
}

// recountSeeders counts anew which relations of p, and of the peers that get segments from p, are with seeders inside and
// outside of their site.
func (s *Swarm) recountSeeders(p *Peer) {
	p.recountTaken()
	if !p.sock.Seeder {
		return
	}
	for i := range p.relations {
		q := p.relations[i].peer
		q.recountTaken()
		s.updateSeederless(q)
	}
}

func (p *Peer) recountTaken() {
	p.seeders, p.insiders = 0, 0
	for i := range p.relations {
		r := &p.relations[i]
		if !p.takesFrom(r.peer) || !r.counts() {
			continue
		}
		if p.insider(r.peer) {
			p.insiders++
		} else {
			p.seeders++
		}
	}
}

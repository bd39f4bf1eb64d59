package swarm

import "github.com/p2pstream/p2pstream/runtime/signaling"

// note has the seeders that p is related to learn, with the end of this call of the Core, that it has become a gateway, is none
// any more, or is somewhere else. They were told with an offer or answer, which may be long ago.
func (s *Swarm) note(p *Peer) {
	if !p.noted && !p.sock.Seeder {
		p.noted = true
		s.noted = append(s.noted, p)
	}
}

// tellSeeders sends what was noted.
func (c *Core) tellSeeders(s *Swarm) {
	for i, p := range s.noted {
		s.noted[i], p.noted = nil, false
		if p.swarm == nil {
			continue // it has left
		}
		for j := range p.relations {
			seeder := p.relations[j].peer
			if !seeder.sock.Seeder {
				continue
			}
			var where signaling.Origin // of one in no site
			if o := origin(p, seeder); o != nil {
				where = *o
			}
			c.Stats.PlacesTold.Add(1)
			c.deliver(seeder.sock, func(b []byte) []byte { return signaling.AppendPlaceNotice(b, s.hash, p.id, where) })
		}
	}
	s.noted = s.noted[:0]
}

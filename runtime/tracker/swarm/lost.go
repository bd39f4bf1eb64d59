package swarm

import "github.com/p2pstream/p2pstream/runtime/signaling"

// lost forgets the connections of a seeder that ended without its doing, and returns how many of these viewers are still
// there and have no other seeder. A page gives a seeder up that is silent for some seconds. Nothing but its next announce,
// up to MaxInterval later, would bring the two together again, and until then it takes everything from the origin.
func (c *Core) lost(s *Swarm, from *Peer, ids []signaling.ID) (wanting int) {
	for _, id := range ids {
		p := s.latest[id]
		if p == nil || p.sock.Seeder {
			continue
		}
		i := from.find(p)
		if i < 0 || !from.relations[i].linked || from.relations[i].pending {
			continue
		}
		s.forgetPair(from, i)
		c.Stats.LostLinks.Add(1)
		s.updateSeederless(p)
		wanting += asInt(p.seederless >= 0)
	}
	return wanting
}

package swarm

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// replace prepares that a socket joins with an id that another live socket uses. Of a seeder, which its token identifies,
// that is the same peer on a new socket. Of any other client it is a peer of its own, since ids are not secret: the other
// socket keeps its own, and is probed, because a client whose network failed leaves a dead one behind.
func (c *Core) replace(s *Swarm, sock *Socket, id signaling.ID) {
	if s == nil {
		return
	}
	p := s.latest[id]
	switch {
	case p == nil || p.sock == sock:
	case sock.Seeder && p.sock.Seeder && sock.Join == p.sock.Join:
		c.Stats.Moves.Add(1)
		// The swarm is kept although it may have no members for a moment.
		c.leave(s, p)
	default:
		c.Stats.SharedIDs.Add(1)
		c.out = append(c.out, Delivery{To: p.sock, Probe: true})
	}
}

// answer relays an answer to the peer whose offer it belongs to. The id of that peer alone does not say which one it is.
func (c *Core) answer(sock *Socket, m *signaling.ClientMessage, now time.Time) {
	s := c.swarms[m.InfoHash]
	if s == nil {
		c.Stats.AnswersDeparted.Add(1)
		return
	}
	from := s.members[member{sock, m.PeerID}]
	if from == nil {
		c.Stats.AnswersForeign.Add(1)
		return
	}
	to := from.offerer(m.ToPeerID, m.OfferID.Key())
	if to == nil {
		if s.latest[m.ToPeerID] == nil {
			c.Stats.AnswersDeparted.Add(1)
		} else {
			c.Stats.AnswersUnknown.Add(1)
		}
		return
	}
	if s.answered(to, from, now) {
		c.Stats.FailedLinks.Add(1)
	}
	c.Stats.AnswersRelayed.Add(1)
	where := origin(from, to)
	c.deliver(to.sock, func(b []byte) []byte {
		return signaling.AppendRelayedAnswer(b, s.hash, from.id, m.SDP, m.OfferID, where)
	})
}

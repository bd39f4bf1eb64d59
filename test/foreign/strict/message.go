package strict

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// swarm keeps its members in the order of their coming, with the last filling gaps.
type swarm struct {
	hash     string
	members  []*member
	complete map[*member]bool
}

// member is one peer id in one swarm.
type member struct {
	id    *identity
	swarm *swarm
	last  time.Time // of its announces
}

// identity is one peer id, which lives on one socket.
type identity struct {
	text    string
	conn    *conn
	members []*member
}

// relay is one offer that was passed to one peer.
type relay struct{ offerID, to string }

// message acts on one message and returns why the socket must be closed, if so. The lock is held.
func (s *Server) message(c *conn, b []byte) Cause {
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil || m == nil {
		return BadJSON
	}
	switch m["action"] {
	case "announce":
	case "scrape":
		s.scrape(c, m)
		return ""
	default:
		return BadAction
	}
	event, told := m["event"]
	_, answer := m["answer"]
	switch {
	case !told && answer:
		return s.answer(c, m)
	case !told || event == "started":
		return s.announce(c, m, false)
	case event == "stopped":
		s.stopped(m)
		return ""
	case event == "completed":
		return s.announce(c, m, true)
	}
	return BadEvent
}

func (s *Server) announce(c *conn, m map[string]any, completed bool) Cause {
	hash, ok := m["info_hash"].(string)
	if !ok {
		return BadHash
	}
	text, ok := m["peer_id"].(string)
	if !ok {
		return BadPeerID
	}
	s.stats.Announces++
	id := s.ids[text]
	if id != nil && id.conn != c {
		s.forget(id) // a peer that announces on another socket leaves everything that it announced on the first
		id = nil
	}
	if id == nil {
		id = &identity{text: text, conn: c}
		s.ids[text] = id
		c.ids = append(c.ids, id)
	}
	me := s.member(hash, text)
	if me == nil {
		sw := s.swarms[hash]
		if sw == nil {
			sw = &swarm{hash: hash, complete: map[*member]bool{}}
			s.swarms[hash] = sw
		}
		me = &member{id: id, swarm: sw}
		sw.members = append(sw.members, me)
		id.members = append(id.members, me)
	}
	me.last = time.Now()
	if completed || m["left"] == float64(0) {
		me.swarm.complete[me] = true
	}
	complete := len(me.swarm.complete)
	c.send(map[string]any{
		"action": "announce", "interval": int(s.cfg.Interval / time.Second), "info_hash": hash,
		"complete": complete, "incomplete": len(me.swarm.members) - complete,
	})
	return s.relay(me, m)
}

// relay passes the offers of an announce to other members: to all if there are enough, else to those that follow a
// random place.
func (s *Server) relay(me *member, m map[string]any) Cause {
	all := me.swarm.members
	offered, told := m["offers"]
	if len(all) <= 1 || !told {
		return ""
	}
	offers, ok := offered.([]any)
	if !ok {
		return BadOffers
	}
	numwant, ok := m["numwant"].(float64)
	if !ok || numwant != math.Trunc(numwant) {
		return ""
	}
	others := len(all) - 1
	count := min(others, len(offers), s.cfg.MaxOffers, int(numwant))
	first := 0
	if count != others {
		first = rand.IntN(len(all))
	}
	for i, sent := 0, 0; sent < count; i++ {
		to := all[(first+i)%len(all)]
		if to == me {
			continue
		}
		item, ok := offers[sent].(map[string]any)
		if !ok {
			return BadOffers
		}
		offer, ok := item["offer"].(map[string]any)
		if !ok {
			return BadOffers
		}
		offerID, _ := item["offer_id"].(string)
		s.relayed[relay{offerID, to.id.text}] = time.Now()
		s.stats.Relayed++
		to.id.conn.send(map[string]any{
			"action": "announce", "info_hash": me.swarm.hash, "peer_id": me.id.text, "offer_id": item["offer_id"],
			"offer": map[string]any{"type": "offer", "sdp": offer["sdp"]},
		})
		sent++
	}
	return ""
}

// answer passes an answer on, of any sender. For an answer to a peer that is not there, the sender loses its socket.
func (s *Server) answer(c *conn, m map[string]any) Cause {
	hash, _ := m["info_hash"].(string)
	from, _ := m["peer_id"].(string)
	text, _ := m["to_peer_id"].(string)
	offerID, _ := m["offer_id"].(string)
	var age time.Duration
	if at, ok := s.relayed[relay{offerID, from}]; ok {
		age = time.Since(at)
		s.stats.Age = append(s.stats.Age, age)
		delete(s.relayed, relay{offerID, from})
	}
	to := s.member(hash, text)
	if to == nil {
		lost := 0
		for _, id := range c.ids {
			lost += len(id.members)
		}
		s.stats.Late = append(s.stats.Late, Late{From: from, To: text, Age: age, Lost: lost})
		return Departed
	}
	s.stats.Answers++
	delete(m, "to_peer_id")
	to.id.conn.send(m)
	return ""
}

// stopped gets no reply, whether the peer was there or not.
func (s *Server) stopped(m map[string]any) {
	hash, _ := m["info_hash"].(string)
	text, _ := m["peer_id"].(string)
	if me := s.member(hash, text); me != nil {
		s.remove(me)
	}
}

// scrape knows no limit: without a hash it lists every swarm.
func (s *Server) scrape(c *conn, m map[string]any) {
	files := map[string]any{}
	add := func(hash string) {
		complete, all := 0, 0
		if sw := s.swarms[hash]; sw != nil {
			complete, all = len(sw.complete), len(sw.members)
		}
		files[hash] = map[string]int{"complete": complete, "incomplete": all - complete, "downloaded": complete}
	}
	asked, told := m["info_hash"]
	switch list := asked.(type) {
	case []any:
		for _, one := range list {
			if hash, ok := one.(string); ok {
				add(hash)
			}
		}
	case string:
		add(list)
	default:
		if !told {
			for hash := range s.swarms {
				add(hash)
			}
		}
	}
	c.send(map[string]any{"action": "scrape", "files": files})
}

func (s *Server) member(hash, text string) *member {
	if id := s.ids[text]; id != nil {
		for _, m := range id.members {
			if m.swarm.hash == hash {
				return m
			}
		}
	}
	return nil
}

// forget removes a peer id from all swarms.
func (s *Server) forget(id *identity) {
	for len(id.members) > 0 {
		s.remove(id.members[0])
	}
}

// remove takes a member out of its swarm, and forgets a peer id with its last swarm, and a swarm with its last member.
func (s *Server) remove(m *member) {
	sw, id := m.swarm, m.id
	if i := slices.Index(sw.members, m); i >= 0 {
		last := len(sw.members) - 1
		sw.members[i] = sw.members[last]
		sw.members = sw.members[:last]
	}
	delete(sw.complete, m)
	if len(sw.members) == 0 {
		delete(s.swarms, sw.hash)
	}
	id.members = slices.DeleteFunc(id.members, func(other *member) bool { return other == m })
	if len(id.members) == 0 {
		delete(s.ids, id.text)
		id.conn.ids = slices.DeleteFunc(id.conn.ids, func(other *identity) bool { return other == id })
	}
}

package mesh

import (
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Seeders fill from each other, so they connect. All connections of a seeder share one UDP port, and a packet of DTLS tells to
// which of them it belongs by the address that it came from only. Between two such ports there can therefore be one connection,
// but two seeders have one for each rendition and generation. So one end of each has a port of its own: a seeder makes its
// offers for seeders in that way, and marks its announce, and our tracker passes these offers on to seeders and no others. A
// seeder drops offers of seeders that come from a foreign tracker: those may be made from the shared port.

// maxSeek bounds SwarmConfig.Seek: each offer that waits is a connection with a port of its own.
const maxSeek = 10

func isSeeder(id identity.PeerID) bool { return strings.HasPrefix(string(id), identity.SeederPrefix) }

// sought is how many offers for seeders go with the next announce: none before the tracker has said how many there are. With
// one seeder connected, one offer at a time looks for further ones: some may be those of other sites.
func (m *membership) sought() int {
	s := m.swarm
	if s.cfg.Seek == 0 || m.sess.foreign || !m.search.replied {
		return 0
	}
	have, waiting := 0, 0
	for id := range s.peers {
		if isSeeder(id) {
			have++
		}
	}
	for _, a := range m.offers {
		if a.own {
			waiting++
		}
	}
	want := min(s.cfg.Seek, m.search.seeders) - have - waiting
	if have > 0 {
		want = min(want, 1-waiting)
	}
	return min(want, s.room())
}

// learn takes the size of the swarm from a tracker's message. The first one that says it has a seeder look for others at once.
func (m *membership) learn(msg *fromTracker) {
	if !msg.HasCounts {
		return
	}
	s, h := m.swarm, &m.search
	first := !h.replied
	h.replied = true
	h.others = msg.Complete + msg.Incomplete - 1
	h.least = time.Duration(msg.MinInterval) * time.Second
	h.seeders = msg.Complete
	if isSeeder(s.cfg.PeerID) {
		h.seeders--
	}
	if s.cfg.Counted != nil {
		s.cfg.Counted(s.census())
	}
	if first {
		m.offer(m.sought(), true)
	}
}

// census is what the trackers that have replied say of the swarm.
func (s *Swarm) census() (c Census) {
	for _, m := range s.memberships {
		if m.sess == nil || !m.search.replied {
			continue
		}
		c.Peers = max(c.Peers, m.search.others)
		if !m.sess.foreign {
			c.Seeders = max(c.Seeders, m.search.seeders)
		}
	}
	return c
}

// seekSoon has a seeder look for another seeder soon after it has lost one.
func (m *membership) seekSoon(lost identity.PeerID) {
	if m.swarm.cfg.Seek == 0 || m.sess == nil || m.sess.foreign || m.swarm.withdrawn || !isSeeder(lost) {
		return
	}
	m.stopTimer()
	m.timer = time.AfterFunc(announceLeast, func() { m.swarm.post(m.announce) })
}

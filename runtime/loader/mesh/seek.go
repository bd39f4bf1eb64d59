package mesh

import (
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Edge seeders fill from other seeders, so seeders connect to each other. All connections of a seeder share one UDP port,
// and a packet of DTLS tells to which of them it belongs by the address that it came from only. Between two such ports there
// can therefore be one connection, but two seeders have one for each rendition and generation. So one end of each has a port
// of its own: an edge seeder makes its offers for seeders in that way, and marks its announce, and our tracker passes these
// offers on to seeders and no others. A seeder drops offers of seeders that come from a foreign tracker: those may be made
// from the shared port.

// maxSeek bounds SwarmConfig.Seek: each offer that waits is a connection with a port of its own.
const maxSeek = 10

func isSeeder(id identity.PeerID) bool { return strings.HasPrefix(string(id), identity.SeederPrefix) }

// sought is how many offers for seeders go with the next announce. With one seeder connected, one offer at a time looks for
// further ones: there may be none.
func (m *membership) sought() int {
	s := m.swarm
	if s.cfg.Seek == 0 || m.sess.foreign {
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
	want := s.cfg.Seek - have - waiting
	if have > 0 {
		want = min(want, 1-waiting)
	}
	return min(want, s.room())
}

// seekSoon has an edge seeder look for another seeder soon after it has lost one.
func (m *membership) seekSoon(lost identity.PeerID) {
	if m.swarm.cfg.Seek == 0 || m.sess == nil || m.sess.foreign || m.swarm.withdrawn || !isSeeder(lost) {
		return
	}
	m.stopTimer()
	m.timer = time.AfterFunc(announceLeast, func() { m.swarm.post(m.announce) })
}

package mesh

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Foreign trackers (those without signaling.TrackerHeader) close sockets over what our tracker tolerates, and keep
// entries of peers that left. Each swarm has a socket of its own to them, and these rules apply.
const (
	// An offer is answered within answerLife or never: wt-tracker closes the socket of a peer that answers one that has
	// left. A STUN server that does not answer takes most of it; waiting for a handshake slot may take answerTurn.
	answerLife = 3 * time.Second
	answerTurn = time.Second
	// So a peer that leaves stays until its last offers can no longer be answered.
	farewellAfter = answerLife + time.Second
	// bittorrent-tracker passes offers to peers that left without a goodbye, and announces an interval of minutes: a peer that
	// has found too few others announces again after searchFirst, then after twice that, and so on up to searchLongest,
	// and with more offers.
	searchFirst   = time.Second
	searchLongest = 15 * time.Second
	searchOffers  = 10 // aquatic relays no more of one announce
	// Enough are enoughPeers with a seeder among them, or plentyPeers, which need not offer any more.
	enoughPeers = 4
	plentyPeers = 8
	// An offer that was not answered in this time went to a peer that has left. Browsers need five seconds when a
	// STUN server does not answer.
	offerPatience = 6 * time.Second
)

// isForeign notes that a tracker is not ours.
func (n *Node) isForeign(url string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.foreign[url] = true
}

// moveToOwnSocket moves the membership to a socket of its own.
func (m *membership) moveToOwnSocket() {
	if !m.swarm.withdrawn {
		m.link.remove(m)
		m.swarm.node.linkFor(m.url, m)
	}
}

// rejoin takes back what was announced on an earlier socket: bittorrent-tracker would go on sending there whatever is
// meant for us, since to it the same peer id is the same socket.
func (m *membership) rejoin() {
	if m.sess.foreign && m.started && !m.swarm.withdrawn {
		m.started = !m.sess.send(m.me.announce(signaling.EventStopped, m.trackerID, nil))
		m.send(nil) // at once, since offers take a while and a peer may be answering an older one
	}
}

// answerBy is until when the work on an answer may begin, and until when it may be sent.
func (m *membership) answerBy(msg *fromTracker) (begin, send time.Time) {
	if m.sess.foreign {
		return msg.at.Add(answerTurn), msg.at.Add(answerLife)
	}
	return msg.at.Add(handshakeWait), msg.at.Add(offerLife)
}

// answerable is how long a peer may still answer one of our offers, and lose its socket if we have left.
func (m *membership) answerable() (wait time.Duration) {
	if m.sess == nil || !m.sess.foreign {
		return 0
	}
	for _, a := range m.offers {
		wait = max(wait, farewellAfter-time.Since(a.offered))
	}
	return wait
}

// delayGoodbye sends the goodbye after wait; it reports false when the tasks are closed.
func (m *membership) delayGoodbye(wait time.Duration) bool {
	sess := m.sess
	return m.swarm.tasks.run(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-sess.dead:
		}
		m.swarm.post(m.goodbye)
	})
}

// search counts how often in a row an announce brought too few peers. The swarm's loop owns it.
type search struct {
	rounds int
	timer  *time.Timer
	// What the tracker has said on this socket: how many others there are, how many of them hold everything, and how long it
	// wants to wait between announces.
	replied         bool
	others, seeders int
	least           time.Duration
}

func (h *search) stop() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}

// forget forgets what was learned on a socket that has closed.
func (h *search) forget() {
	h.stop()
	h.replied, h.seeders = false, 0
}

// scheduleSearch checks after a pause whether there are enough peers.
func (m *membership) scheduleSearch() {
	h, s := &m.search, m.swarm
	if h.timer != nil || m.sess == nil || !m.sess.foreign || s.withdrawn {
		return
	}
	pause := max(min(searchFirst<<h.rounds, searchLongest, m.interval), h.least)
	h.timer = time.AfterFunc(pause+rand.N(pause/4), func() { s.post(m.searchPeers) })
}

func (m *membership) searchPeers() {
	h, s := &m.search, m.swarm
	h.stop()
	if m.sess == nil || s.withdrawn {
		return
	}
	if m.hasEnoughPeers() {
		h.rounds = 0
		return
	}
	if searchFirst<<h.rounds < searchLongest {
		h.rounds++
	}
	for id, a := range m.offers {
		if time.Since(a.offered) > offerPatience {
			m.expired(id)
		}
	}
	if _, most := m.offerCounts(); len(m.offers) < most {
		m.announce()
	}
	m.scheduleSearch()
}

// hasEnoughPeers tells whether the swarm needs no more peers.
func (m *membership) hasEnoughPeers() bool {
	s := m.swarm
	have := len(s.peers) + len(s.pending)
	if have >= min(plentyPeers, m.search.others, s.cfg.MaxPeers) {
		return true
	}
	if have < enoughPeers {
		return false
	}
	for id := range s.peers {
		if strings.HasPrefix(string(id), identity.SeederPrefix) {
			return true
		}
	}
	return strings.HasPrefix(string(s.cfg.PeerID), identity.SeederPrefix)
}

// offerCounts is how many offers go with an announce, and how many may be unanswered. Where the tracker does not lead
// viewers to seeders, seeders offer as well.
func (m *membership) offerCounts() (offers, most int) {
	offers = m.swarm.cfg.Offers
	if m.sess.foreign {
		if len(m.swarm.peers) >= plentyPeers {
			return 0, 0
		}
		if offers == 0 {
			offers = DefaultOffers
		}
		if m.search.rounds > 0 {
			return searchOffers, 2 * searchOffers
		}
	}
	return offers, 2 * offers
}

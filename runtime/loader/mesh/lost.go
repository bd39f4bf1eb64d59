package mesh

import (
	"errors"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// A page closes the connection with a seeder that was silent in three requests, and asks no tracker for it again before its
// next announce. The seeder notices, and says so to our tracker, which introduces the two again if the page is still there.
// Our own viewers look for peers by themselves when they lose one, and leave a seeder only for a reason.
const (
	// lostAfter is how long a seeder waits before it tells: the viewer may have left, and the tracker then knows by itself.
	lostAfter = time.Second
	// lostAgain is for how long a peer is not reported again: one that is lost every few seconds is better off elsewhere.
	lostAgain = time.Minute
	// lostKept is how many reported peers are remembered. When so many were lost, more is wrong than a silent seeder.
	lostKept = 1000
)

// lost is what a seeder has to tell of peers that closed the connection. The swarm's loop owns it.
type lost struct {
	peers    []signaling.ID
	reported map[identity.PeerID]time.Time
	timer    *time.Timer
}

func (l *lost) stop() {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.peers, l.timer = nil, nil
}

// first reports whether a peer has not been lost lately, and remembers it.
func (l *lost) first(id identity.PeerID, now time.Time) bool {
	for old, at := range l.reported {
		if now.Sub(at) >= lostAgain {
			delete(l.reported, old)
		}
	}
	if _, known := l.reported[id]; known || len(l.reported) == lostKept {
		return false
	}
	if l.reported == nil {
		l.reported = map[identity.PeerID]time.Time{}
	}
	l.reported[id] = now
	return true
}

// lostPeer has the tracker told of a peer whose connection ended without a decision of ours, if this node is a seeder.
func (m *membership) lostPeer(p *Peer) {
	s, l := m.swarm, &m.lost
	// A node that was stopped for a while finds that nothing it sent was read meanwhile.
	failed := errors.Is(p.cause, ErrRemoteClosed) || errors.Is(p.cause, ErrConnectionLost) || errors.Is(p.cause, ErrWriteStall)
	if !failed || !isSeeder(s.cfg.PeerID) || isSeeder(p.id) || looksByItself(p.id) || m.sess == nil || m.sess.foreign || s.withdrawn ||
		len(l.peers) == signaling.MaxLost || !l.first(p.id, time.Now()) {
		return
	}
	var id signaling.ID
	copy(id[:], p.id)
	l.peers = append(l.peers, id)
	if l.timer == nil {
		l.timer = time.AfterFunc(lostAfter, func() { s.post(m.tellLost) })
	}
}

func looksByItself(id identity.PeerID) bool {
	return strings.HasPrefix(string(id), identity.ViewerPrefix)
}

func (m *membership) tellLost() {
	peers := m.lost.peers
	m.lost.stop()
	if len(peers) == 0 || m.sess == nil || m.swarm.withdrawn {
		return
	}
	if !m.sess.send(m.me.lost(m.trackerID, peers)) {
		m.swarm.node.metrics.trackerDropped.Inc()
	}
}

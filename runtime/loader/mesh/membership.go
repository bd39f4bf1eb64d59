package mesh

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// maxTrackerID bounds the tracker id that a tracker expects back in every announce, in bytes.
const maxTrackerID = 512

// membership is one swarm at one tracker. The swarm's loop owns it.
type membership struct {
	swarm *Swarm
	url   string
	link  *link // set before the link first calls
	me    self

	sess      *session
	started   bool
	making    bool
	interval  time.Duration
	timer     *time.Timer
	trackerID signaling.Raw
	offers    map[string]*attempt
	search    search
	request   request
	lost      lost
}

// madeOffer is a gathered offer that waits to be sent.
type madeOffer struct {
	id, sdp string
	attempt *attempt
}

// isOwn tells whether offers, which are made together, have ports of their own.
func isOwn(made []madeOffer) bool { return len(made) > 0 && made[0].attempt.own }

func newMembership(s *Swarm, url string) *membership {
	return &membership{
		swarm: s, url: url, me: newSelf(s.cfg),
		interval: announceFirst,
		offers:   map[string]*attempt{},
	}
}

// connected is called for a new socket.
func (m *membership) connected(s *session) {
	select {
	case <-s.dead:
		return
	default:
	}
	m.sess = s
	m.rejoin()
	m.announce()
}

func (m *membership) disconnected(s *session) {
	if m.sess == s {
		m.sess = nil
		m.stopTimer()
		m.search.forget()
		m.request.stop()
		m.lost.stop()
	}
}

func (m *membership) stopTimer() {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
}

// schedule sets the next announce; a little late rather than early, and not at the same time as peers
// that joined together with this one.
func (m *membership) schedule() {
	m.stopTimer()
	late := rand.N(m.interval / 10)
	m.timer = time.AfterFunc(m.interval+late, func() { m.swarm.post(m.announce) })
}

// announce tells the tracker that we are here, with fresh offers if there is room for more peers.
func (m *membership) announce() {
	s := m.swarm
	if m.sess == nil || s.withdrawn || m.making {
		return
	}
	m.schedule()
	m.scheduleSearch()
	if m.offer(m.sought(), true) {
		return
	}
	// Unanswered offers mostly went to browsers that left without a goodbye, so some are renewed each time.
	offers, most := m.offerCounts()
	if want := min(offers, most-len(m.offers), s.wanted()); !m.offer(want, false) {
		m.send(nil)
	}
}

// offer makes up to want offers and announces with them; it returns false if it makes none. own offers have ports of their
// own, and are for seeders.
func (m *membership) offer(want int, own bool) bool {
	s := m.swarm
	if want > 0 {
		want = s.node.takeOffers(want)
	}
	if want <= 0 {
		return false
	}
	m.making = true
	s.tasks.run(func() {
		made := s.makeOffers(want, own)
		if !s.post(func() { m.offersMade(made) }) {
			s.dropOffers(made)
		}
	})
	return true
}

func (s *Swarm) makeOffers(want int, own bool) []madeOffer {
	results := make(chan madeOffer)
	for range want {
		a := &attempt{swarm: s, outgoing: true, own: own}
		s.tasks.run(func() {
			sdp, err := a.makeOffer()
			if err != nil {
				s.log.Warn("creating an offer failed", "error", err)
				s.destroy(a)
				sdp = ""
			}
			results <- madeOffer{id: newOfferID(), sdp: sdp, attempt: a}
		})
	}
	made := make([]madeOffer, 0, want)
	for range want {
		if o := <-results; o.sdp != "" {
			made = append(made, o)
		}
	}
	s.node.giveOffers(want - len(made))
	return made
}

// destroy closes an attempt that is not pending.
func (s *Swarm) destroy(a *attempt) {
	if pc := a.close(); pc != nil {
		s.discard(pc)
	}
}

func (s *Swarm) dropOffers(made []madeOffer) {
	for _, o := range made {
		s.destroy(o.attempt)
	}
	s.node.giveOffers(len(made))
}

func (m *membership) offersMade(made []madeOffer) {
	m.making = false
	s := m.swarm
	if s.withdrawn || m.sess == nil {
		s.dropOffers(made)
		return
	}
	now := time.Now()
	for _, o := range made {
		o.attempt.offered = now
		m.offers[o.id] = o.attempt
		o.attempt.expire(func() { s.post(func() { m.expired(o.id) }) })
	}
	if !m.send(made) {
		for _, o := range made {
			m.expired(o.id)
		}
	}
}

// send announces with these offers.
func (m *membership) send(made []madeOffer) bool {
	event := signaling.EventNone
	if !m.started {
		event = signaling.EventStarted
	}
	if !m.sess.send(m.me.announce(event, m.trackerID, made)) {
		m.swarm.node.metrics.trackerDropped.Inc()
		return false
	}
	m.started = true
	return true
}

// expired destroys an offer that was not answered.
func (m *membership) expired(id string) {
	if a := m.takeOffer(id); a != nil {
		m.swarm.node.metrics.failed.WithLabelValues(reasonUnanswered).Inc()
		m.swarm.destroy(a)
	}
}

func (m *membership) takeOffer(id string) *attempt {
	a := m.offers[id]
	if a != nil {
		delete(m.offers, id)
		a.settle()
		m.swarm.node.giveOffers(1)
	}
	return a
}

// leave destroys the offers, says goodbye when no peer can lose its socket by that, and releases the socket.
func (m *membership) leave() {
	m.stopTimer()
	m.search.stop()
	m.request.stop()
	m.lost.stop()
	wait := m.answerable()
	for id := range m.offers {
		m.expired(id)
	}
	if wait <= 0 || !m.delayGoodbye(wait) {
		m.goodbye()
	}
}

func (m *membership) goodbye() {
	if m.sess != nil && m.started {
		_ = m.sess.send(m.me.announce(signaling.EventStopped, m.trackerID, nil)) // the tracker finds out anyway
	}
	m.sess = nil
	m.link.remove(m)
}

// received acts on one message from the tracker.
func (m *membership) received(from *session, msg fromTracker) {
	if m.swarm.withdrawn || m.sess != from {
		return
	}
	if msg.TrackerID != nil && len(msg.TrackerID) <= maxTrackerID {
		m.trackerID = slices.Clone(msg.TrackerID)
	}
	if pause := msg.pause(); pause > 0 {
		m.interval = pause
		m.schedule()
	}
	m.learn(&msg)
	if msg.OffersWanted > 0 && !from.foreign {
		m.offerOnRequest(msg.OffersWanted)
	}
	if msg.HasAbout && !from.foreign {
		m.moved(identity.PeerID(msg.About.String()), msg.Origin)
	}
	switch msg.Kind {
	case signaling.KindOffer:
		m.offered(&msg)
	case signaling.KindAnswer:
		m.answered(&msg)
	default:
	}
}

// moved notes that our tracker says something else about a peer than before.
func (m *membership) moved(id identity.PeerID, to signaling.Origin) {
	if p := m.swarm.peers[id]; p != nil {
		p.origin.Store(&to)
	} else if a := m.swarm.pending[id]; a != nil {
		a.origin = to
	}
}

func (m *membership) drop(msg *fromTracker, reason string) {
	m.swarm.node.metrics.dropped.WithLabelValues(reason).Inc()
	m.swarm.log.Debug("signal dropped", "kind", msg.label(), "peer", string(msg.peerID), "reason", reason)
}

// offered answers a relayed offer, unless its sender is connected or about to be.
func (m *membership) offered(msg *fromTracker) {
	s := m.swarm
	switch {
	case msg.peerID == s.cfg.PeerID:
		m.drop(msg, reasonOwn)
		return
	case s.node.engine.mux != nil && m.sess.foreign && isSeeder(msg.peerID):
		// Its offer may come from a port that it shares; see seek.go. Our trackers pass on no such offer.
		m.drop(msg, reasonSeeder)
		return
	case s.peers[msg.peerID] != nil:
		m.drop(msg, reasonDuplicate)
		return
	case s.pending[msg.peerID] != nil:
		m.drop(msg, reasonTie)
		return
	case !s.makeRoom():
		m.drop(msg, reasonFull)
		return
	}
	a := &attempt{swarm: s, remote: msg.peerID, origin: msg.Origin}
	sess := m.sess
	begin, send := m.answerBy(msg)
	s.pend(a, func() {
		if time.Now().After(begin) {
			s.post(func() { s.fail(a, reasonStale) })
			return
		}
		sdp, err := a.answerTo(msg.sdp)
		s.post(func() {
			switch {
			case err != nil:
				s.log.Debug("offer not usable", "peer", string(a.remote), "error", err)
				s.fail(a, reasonBadSDP)
			case s.pending[a.remote] != a:
			case time.Now().After(send):
				s.fail(a, reasonStale)
			case !sess.send(m.me.answer(msg, sdp, m.trackerID)):
				// The tracker of a newer socket may not know the offerer.
				s.fail(a, reasonStale)
			}
		})
	})
}

// winsOver tells whether an attempt with a peer stays although that peer answers our offer. If both ends offered and both
// answered, the offer of the smaller peer id stays, at both ends.
func (a *attempt) winsOver(own, remote identity.PeerID) bool {
	return a != nil && (a.outgoing || own > remote)
}

// answered connects to the peer that took one of our offers.
func (m *membership) answered(msg *fromTracker) {
	s := m.swarm
	id, err := msg.OfferID.Text()
	if err != nil {
		m.drop(msg, reasonUnknown)
		return
	}
	a := m.takeOffer(id)
	if a == nil {
		m.drop(msg, reasonUnknown)
		return
	}
	reason := ""
	switch other := s.pending[msg.peerID]; {
	case msg.peerID == s.cfg.PeerID || s.peers[msg.peerID] != nil:
		reason = reasonDuplicate
	case other.winsOver(s.cfg.PeerID, msg.peerID):
		reason = reasonTie
	case other != nil:
		s.fail(other, reasonTie)
	}
	if reason == "" && !s.makeRoom() {
		reason = reasonFull
	}
	if reason != "" {
		m.drop(msg, reason)
		s.destroy(a)
		return
	}
	a.remote, a.origin = msg.peerID, msg.Origin
	s.pend(a, func() {
		if err := a.accept(msg.sdp); err != nil {
			s.log.Debug("answer not usable", "peer", string(a.remote), "error", err)
			s.post(func() { s.fail(a, reasonBadSDP) })
		}
	})
}

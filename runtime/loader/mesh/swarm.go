package mesh

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/webrtc/v4"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// swarmEvents is how many events may wait for the swarm's loop.
const swarmEvents = 64

// Swarm is this node's membership in one swarm. One loop owns its state; everything else sends it
// functions to run.
type Swarm struct {
	node   *Node
	cfg    SwarmConfig
	log    *slog.Logger
	events chan func()
	stop   chan struct{}
	once   sync.Once
	cause  error
	dead   chan struct{}
	tasks  *tasks
	open   atomic.Int64

	// Owned by the loop.
	peers       map[identity.PeerID]*Peer
	pending     map[identity.PeerID]*attempt
	counting    int // pending ones that take up room
	memberships []*membership
	withdrawn   bool
}

func newSwarm(n *Node, cfg SwarmConfig) *Swarm {
	return &Swarm{
		node: n, cfg: cfg,
		log:     n.log.With("swarm", string(cfg.InfoHash)),
		events:  make(chan func(), swarmEvents),
		stop:    make(chan struct{}),
		dead:    make(chan struct{}),
		tasks:   newTasks(),
		peers:   map[identity.PeerID]*Peer{},
		pending: map[identity.PeerID]*attempt{},
	}
}

// InfoHash names the swarm.
func (s *Swarm) InfoHash() identity.InfoHash { return s.cfg.InfoHash }

// Peers is the number of open connections.
func (s *Swarm) Peers() int { return int(s.open.Load()) }

// Withdraw says goodbye to the trackers and takes no new peers; open ones live on until Leave.
func (s *Swarm) Withdraw() { s.post(s.withdraw) }

// Leave withdraws, closes all peers with ErrLeft and waits for the swarm's goroutines. It must not be
// called from a Handler.
func (s *Swarm) Leave() {
	s.end(ErrLeft)
	<-s.dead
}

func (s *Swarm) end(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.stop)
	})
}

// post sends the loop a function to run; it reports false when the loop has ended.
func (s *Swarm) post(f func()) bool {
	select {
	case s.events <- f:
		return true
	case <-s.dead:
		return false
	}
}

// postAsync is post for callers that hold locks.
func (s *Swarm) postAsync(f func()) { s.tasks.run(func() { s.post(f) }) }

func (s *Swarm) loop(ctx context.Context) {
	defer close(s.dead)
	for _, url := range s.cfg.Trackers {
		m := newMembership(s, url)
		s.memberships = append(s.memberships, m)
		s.node.linkFor(url, m)
	}
	for {
		select {
		case f := <-s.events:
			f()
		case <-ctx.Done():
			s.end(ErrLeft)
			s.drain()
			return
		case <-s.stop:
			s.drain()
			return
		}
	}
}

// drain closes everything and continues to serve events until nothing is left that could send one.
func (s *Swarm) drain() {
	s.withdraw()
	for _, p := range s.peers {
		p.Close(s.cause)
	}
	for {
		select {
		case f := <-s.events:
			f()
			continue
		default:
		}
		if s.tasks.closeIdle() {
			return
		}
		select {
		case f := <-s.events:
			f()
		case <-s.tasks.wake:
		}
	}
}

func (s *Swarm) withdraw() {
	if s.withdrawn {
		return
	}
	s.withdrawn = true
	for _, m := range s.memberships {
		m.leave()
	}
	for _, a := range s.pending {
		s.fail(a, reasonLeft)
	}
}

// discard closes a connection, and waits for its goroutines, in the background.
func (s *Swarm) discard(pc *webrtc.PeerConnection) {
	s.tasks.run(func() {
		if err := s.closeConnection(pc); err != nil {
			s.log.Debug("closing connection", "error", err)
		}
	})
}

// room is how many more connections the swarm may hold.
func (s *Swarm) room() int {
	if s.withdrawn || !s.node.admits() {
		return 0
	}
	return s.cfg.MaxPeers - len(s.peers) - s.counting
}

// wanted is how many more connections the swarm looks for by itself.
func (s *Swarm) wanted() int {
	room := s.room()
	if s.cfg.DialBelow > 0 {
		room = min(room, s.cfg.DialBelow-len(s.peers)-s.counting)
	}
	return room
}

// makeRoom tells whether there is room for one more connection. Attempts that are overdue make room: offers of peers
// that do not exist must not keep real peers out.
func (s *Swarm) makeRoom() bool {
	if s.room() > 0 {
		return true
	}
	var oldest *attempt
	for _, a := range s.pending {
		if a.counted && time.Since(a.began) > slotHold && (oldest == nil || a.began.Before(oldest.began)) {
			oldest = a
		}
	}
	if oldest != nil {
		s.fail(oldest, reasonTimeout)
	}
	return s.room() > 0
}

// pend makes the attempt the one with its peer and asks for a handshake slot; work then runs in its own
// goroutine. Attempts that wait take up no room: the gate bounds them.
func (s *Swarm) pend(a *attempt, work func()) {
	s.pending[a.remote] = a
	job := gateJob{
		deadline: time.Now().Add(handshakeWait),
		run: func(release func()) {
			begin := func() {
				if !s.post(func() { s.begin(a, release, work) }) {
					release()
				}
			}
			if !s.tasks.run(begin) {
				release()
			}
		},
		drop: func(reason string) { s.postAsync(func() { s.fail(a, reason) }) },
	}
	if !s.node.gate.submit(job) {
		s.fail(a, reasonQueue)
	}
}

// begin starts the work of an attempt that has a slot.
func (s *Swarm) begin(a *attempt, release, work func()) {
	switch {
	case s.pending[a.remote] != a:
		release()
		return
	case !s.makeRoom():
		release()
		s.fail(a, reasonFull)
		return
	}
	a.counted, a.began = true, time.Now()
	s.counting++
	s.node.connections.Add(1)
	if !a.hold(release) || !s.tasks.run(work) {
		release()
	}
}

// fail gives an attempt up, if it is still one.
func (s *Swarm) fail(a *attempt, reason string) {
	if a.peer != nil {
		return
	}
	if s.forget(a) {
		s.node.metrics.failed.WithLabelValues(reason).Inc()
		s.log.Debug("connection attempt failed", "peer", string(a.remote), "outgoing", a.outgoing, "reason", reason)
	}
	if pc := a.close(); pc != nil {
		s.discard(pc)
	}
}

func (s *Swarm) forget(a *attempt) bool {
	if s.pending[a.remote] != a {
		return false
	}
	delete(s.pending, a.remote)
	if a.counted {
		a.counted = false
		s.counting--
		s.node.connections.Add(-1)
	}
	return true
}

// opened makes a peer of an attempt.
func (s *Swarm) opened(a *attempt, dc *webrtc.DataChannel, raw datachannel.ReadWriteCloser) {
	if a.peer != nil {
		return
	}
	if s.pending[a.remote] != a || s.peers[a.remote] != nil {
		s.fail(a, reasonDuplicate)
		return
	}
	s.forget(a)
	s.node.connections.Add(1)
	a.settle()
	p := newPeer(s, a, dc, raw)
	a.peer = p
	s.peers[a.remote] = p
	s.open.Add(1)
	s.node.metrics.peers.Inc()
	s.node.metrics.opened.Inc()
	s.node.peersMu.Lock()
	s.node.peers[p] = struct{}{}
	s.node.peersMu.Unlock()
	s.log.Debug("peer opened", "peer", string(p.id), "outgoing", a.outgoing)
	s.tasks.run(p.run)
}

func (s *Swarm) peerGone(p *Peer) {
	if s.peers[p.id] == p {
		delete(s.peers, p.id)
	}
	s.node.peersMu.Lock()
	delete(s.node.peers, p)
	s.node.peersMu.Unlock()
	s.node.connections.Add(-1)
	s.open.Add(-1)
	s.node.metrics.peers.Dec()
	s.node.metrics.closed.WithLabelValues(closeReason(p.cause)).Inc()
	s.log.Debug("peer closed", "peer", string(p.id), "cause", p.cause)
	for _, m := range s.memberships {
		m.scheduleSearch()
		m.seekSoon(p.id)
		m.lostPeer(p)
	}
}

// transport is called for each state of an attempt's connection, before and after it became a peer.
func (s *Swarm) transport(a *attempt, state webrtc.PeerConnectionState) {
	cause, reason := ErrConnectionLost, reasonICE
	if state == webrtc.PeerConnectionStateClosed {
		cause, reason = ErrRemoteClosed, reasonRemote
	}
	if a.peer != nil {
		a.peer.Close(cause)
		return
	}
	s.fail(a, reason)
}

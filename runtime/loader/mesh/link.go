package mesh

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/internal/redact"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/ratelog"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Bounds of one tracker socket.
const (
	trackerReadLimit    = 64 << 10
	trackerDialTimeout  = 10 * time.Second
	trackerWriteTimeout = 10 * time.Second
	trackerPing         = 25 * time.Second
	trackerSilence      = 75 * time.Second
	trackerQueue        = 256
	trackerFarewell     = time.Second

	// A tracker that sends more than this is read later, so that it cannot keep a processor busy. A full audience of
	// viewers that all offer to one seeder at a time stays far below it.
	trackerUnits     = 1000 // in a second; a message counts as one, and as one more for every unitBytes
	trackerUnitBurst = 4000
	unitBytes        = 4 << 10
)

// link keeps a socket to one tracker open for its members, each in another swarm, for as long as it has
// any.
type link struct {
	node    *Node
	url     string
	log     *slog.Logger
	limited *ratelog.Log // for what the tracker can cause repeatedly
	cancel  context.CancelFunc
	ctx     context.Context // the link's own life

	mu      sync.Mutex
	members map[identity.InfoHash]*membership
	current *session
}

// session is one socket from upgrade to close. What is sent to a session never reaches a later one.
type session struct {
	conn    *websocket.Conn
	foreign bool // the tracker is not one of ours
	out     chan []byte
	dead    chan struct{}
	finish  chan struct{}
	once    sync.Once
	answers chan []byte // to reports
}

// send queues one message; it reports false when the socket is dead or too slow.
func (s *session) send(msg []byte) bool {
	select {
	case <-s.dead:
		return false
	case <-s.finish:
		return false
	default:
	}
	select {
	case s.out <- msg:
		return true
	default:
		return false
	}
}

func (s *session) close() {
	s.once.Do(func() {
		close(s.dead)
		_ = s.conn.Close() // nothing more is expected from it
	})
}

// linkFor gives the membership a link to the tracker: a shared one unless one socket per swarm is asked
// for, or the node is in that swarm already under another peer id.
func (n *Node) linkFor(url string, m *membership) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.cfg.OneSocketPerSwarm && !n.foreign[url] {
		for _, l := range n.links {
			if l.url == url && l.add(m) {
				return
			}
		}
	}
	ctx, cancel := context.WithCancel(n.ctx)
	l := &link{
		node: n, url: url, ctx: ctx, cancel: cancel,
		log:     n.log.With("tracker", redact.URL(url)), // the query is a ticket
		members: map[identity.InfoHash]*membership{},
	}
	l.limited = ratelog.New(l.log)
	l.add(m)
	n.links = append(n.links, l)
	n.wg.Go(l.run)
}

func (l *link) add(m *membership) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := m.swarm.cfg.InfoHash
	if _, taken := l.members[hash]; taken {
		return false
	}
	l.members[hash] = m
	m.link = l
	if l.current != nil {
		s := l.current
		m.swarm.postAsync(func() { m.connected(s) })
	}
	return true
}

// remove takes the membership off the link; the last one takes the socket with it, after what is queued
// was sent.
func (l *link) remove(m *membership) {
	n := l.node
	n.mu.Lock()
	defer n.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := m.swarm.cfg.InfoHash
	if l.members[hash] != m {
		return
	}
	delete(l.members, hash)
	if len(l.members) > 0 {
		return
	}
	for i, other := range n.links {
		if other == l {
			n.links = append(n.links[:i], n.links[i+1:]...)
			break
		}
	}
	l.cancel()
	if l.current != nil {
		close(l.current.finish)
	}
}

func (l *link) member(hash identity.InfoHash) *membership {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.members[hash]
}

func (l *link) all() []*membership {
	l.mu.Lock()
	defer l.mu.Unlock()
	members := make([]*membership, 0, len(l.members))
	for _, m := range l.members {
		members = append(members, m)
	}
	return members
}

func (l *link) run() {
	pause := newDialPause()
	for first := true; l.ctx.Err() == nil; first = false {
		if !first {
			l.node.metrics.trackerReconnects.Inc()
		}
		since := time.Now()
		err := l.serve()
		if l.ctx.Err() != nil {
			return
		}
		wait := pause.after(time.Since(since))
		l.limited.Warn("tracker socket lost", "error", err, "retryIn", wait.Round(time.Millisecond))
		select {
		case <-l.ctx.Done():
		case <-time.After(wait):
		}
	}
}

// serve dials and reads until the socket breaks.
func (l *link) serve() error {
	conn, foreign, err := l.dial()
	if err != nil {
		return err
	}
	if foreign {
		l.node.isForeign(l.url)
	}
	s := &session{
		conn: conn, foreign: foreign, out: make(chan []byte, trackerQueue),
		dead: make(chan struct{}), finish: make(chan struct{}), answers: make(chan []byte, 1),
	}
	defer s.close()
	l.node.reached.Store(true)
	l.node.metrics.trackerSockets.Inc()
	defer l.node.metrics.trackerSockets.Dec()

	var members []*membership
	l.mu.Lock()
	if l.ctx.Err() != nil {
		l.mu.Unlock()
		return l.ctx.Err()
	}
	l.current = s
	for _, m := range l.members {
		members = append(members, m)
	}
	l.mu.Unlock()
	l.limited.Info("tracker socket open")

	l.node.wg.Go(func() { l.write(s) })
	for i, m := range members {
		if foreign && i > 0 {
			m.swarm.post(m.moveToOwnSocket)
			continue
		}
		m.swarm.post(func() { m.connected(s) })
	}
	err = l.read(s)
	s.close()
	l.mu.Lock()
	l.current = nil
	l.mu.Unlock()
	for _, m := range l.all() {
		m.swarm.post(func() { m.disconnected(s) })
	}
	return err
}

// dial also tells whether the tracker is not one of ours.
func (l *link) dial() (conn *websocket.Conn, foreign bool, err error) {
	ctx, cancel := context.WithTimeout(l.ctx, trackerDialTimeout)
	defer cancel()
	dialer := websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: trackerDialTimeout,
		TLSClientConfig:  l.node.cfg.TLS,
		ReadBufferSize:   4096,
		WriteBufferSize:  4096,
	}
	header := http.Header{}
	if token := l.node.token(l.url); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	var resp *http.Response
	conn, resp, err = dialer.DialContext(ctx, l.url, header)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // the dialer has read what it keeps
	}
	if err != nil {
		if resp != nil {
			return nil, false, fmt.Errorf("dialing tracker: status %d: %w", resp.StatusCode, err)
		}
		return nil, false, fmt.Errorf("dialing tracker: %w", err)
	}
	return conn, resp.Header.Get(signaling.TrackerHeader) == "", nil
}

func (l *link) read(s *session) error {
	s.conn.SetReadLimit(trackerReadLimit)
	units := rate.NewLimiter(trackerUnits, trackerUnitBurst)
	extend := func() error { return s.conn.SetReadDeadline(time.Now().Add(trackerSilence)) }
	s.conn.SetPongHandler(func(string) error { return extend() })
	for {
		if err := extend(); err != nil {
			return fmt.Errorf("setting tracker deadline: %w", err)
		}
		kind, b, err := s.conn.ReadMessage()
		if err != nil {
			return fmt.Errorf("reading from tracker: %w", err)
		}
		if cost := 1 + len(b)/unitBytes; !units.AllowN(time.Now(), cost) {
			l.node.metrics.trackerThrottled.Inc()
			if err := units.WaitN(l.ctx, cost); err != nil {
				return fmt.Errorf("reading from tracker: %w", err)
			}
		}
		if kind == websocket.TextMessage {
			l.dispatch(s, b)
		}
	}
}

func (l *link) dispatch(s *session, b []byte) {
	if s.answered(b) {
		return
	}
	msg, err := parseTracker(b)
	if err != nil {
		l.node.metrics.trackerMessages.WithLabelValues("unreadable").Inc()
		l.limited.Warn("tracker sent an unreadable message", "error", err)
		return
	}
	l.node.metrics.trackerMessages.WithLabelValues(msg.label()).Inc()
	if msg.Failure != "" {
		l.limited.Warn("tracker reports a failure", "reason", msg.Failure)
	}
	if msg.Warning != "" {
		l.limited.Warn("tracker warns", "warning", msg.Warning)
	}
	if m := l.member(msg.infoHash); m != nil {
		m.swarm.post(func() { m.received(s, msg) })
	}
}

// write sends what is queued, and pings, until the socket is dead or the last member has left.
func (l *link) write(s *session) {
	ping := time.NewTicker(trackerPing)
	defer ping.Stop()
	defer s.close()
	for {
		var err error
		select {
		case <-s.dead:
			return
		case <-s.finish:
			l.farewell(s)
			return
		case msg := <-s.out:
			_ = s.conn.SetWriteDeadline(time.Now().Add(trackerWriteTimeout)) // fails only on a closed socket
			err = s.conn.WriteMessage(websocket.TextMessage, msg)
		case now := <-ping.C:
			err = s.conn.WriteControl(websocket.PingMessage, nil, now.Add(trackerWriteTimeout))
		}
		if err != nil {
			return
		}
	}
}

// farewell sends what is queued, which ends with "stopped", but does not wait long for a stuck tracker.
func (l *link) farewell(s *session) {
	deadline := time.Now().Add(trackerFarewell)
	_ = s.conn.SetWriteDeadline(deadline) // fails only on a closed socket
	for {
		select {
		case msg := <-s.out:
			if s.conn.WriteMessage(websocket.TextMessage, msg) != nil {
				return
			}
		default:
			bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			_ = s.conn.WriteControl(websocket.CloseMessage, bye, deadline) // the socket closes in any case
			return
		}
	}
}

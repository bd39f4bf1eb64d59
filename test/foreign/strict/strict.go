// Package strict is a tracker that behaves as wt-tracker does towards its clients, closed sockets included, and that
// counts each socket which it closed, by cause.
//
// It stands in for the real one, which cannot be installed here: neither wt-tracker nor uWebSockets.js, on which it
// stands, is in the npm registry (`npm view` answers 404 for both); both come from git repositories only. What it does
// is held against recordings of the real one's message core in this package's tests.
package strict

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Config is what an operator of such a tracker may set. Zero values are wt-tracker's own defaults.
type Config struct {
	Interval     time.Duration // told to clients; a peer silent for two of them is removed
	MaxOffers    int           // relayed of one announce
	MessageBytes int64
	Idle         time.Duration // a socket from which nothing came for so long is closed
}

func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = 20 * time.Second
	}
	if c.MaxOffers == 0 {
		c.MaxOffers = 20
	}
	if c.MessageBytes == 0 {
		c.MessageBytes = 64 << 10
	}
	if c.Idle == 0 {
		c.Idle = 240 * time.Second
	}
	return c
}

// Cause is why the server closed a socket.
type Cause string

// Causes. All but the last two are messages that the server does not forgive.
const (
	BadJSON   Cause = "not a JSON object"
	BadAction Cause = "unknown action"
	BadEvent  Cause = "unknown event"
	BadHash   Cause = "info hash missing"
	BadPeerID Cause = "peer id missing"
	BadOffers Cause = "offers are no array of offers"
	Departed  Cause = "answer to a peer that is not there"
	TooLarge  Cause = "message too large"
	Idle      Cause = "idle"
)

// Server is one tracker. One lock holds everything, since the real one has a single thread.
type Server struct {
	tb      testing.TB
	cfg     Config
	address string

	mu      sync.Mutex
	swarms  map[string]*swarm
	ids     map[string]*identity
	conns   map[*conn]struct{}
	relayed map[relay]time.Time
	stats   Stats
	down    bool
	dials   []time.Time

	http *http.Server
	stop chan struct{}
	wg   sync.WaitGroup
}

// Stats is what happened so far.
type Stats struct {
	Sockets   int           // open
	Opened    int           // ever
	Closed    map[Cause]int // by the server, for cause
	Announces int
	Relayed   int // offers
	Answers   int // passed on
	Late      []Late
	// Age is how long after its offer was relayed each answer came, in time or not.
	Age []time.Duration
}

// Late is one answer to a peer that was not there any more.
type Late struct {
	From, To string        // peer ids
	Age      time.Duration // since its offer was relayed; 0 if none was
	Lost     int           // what was announced on the sender's socket
}

// ForCause is the number of sockets that the server closed, whatever the cause.
func (s Stats) ForCause() int {
	n := 0
	for _, c := range s.Closed {
		n += c
	}
	return n
}

// Start starts a server on a free port of 127.0.0.1. It ends with the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s := &Server{
		tb: tb, cfg: cfg.withDefaults(),
		swarms: map[string]*swarm{}, ids: map[string]*identity{}, conns: map[*conn]struct{}{}, relayed: map[relay]time.Time{},
		stats: Stats{Closed: map[Cause]int{}}, stop: make(chan struct{}),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s.address = l.Addr().String()
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() { _ = s.http.Serve(l) }) // ends with ErrServerClosed
	s.wg.Go(s.expire)
	tb.Cleanup(func() {
		close(s.stop)
		_ = s.http.Close()
		s.Down()
		s.wg.Wait()
	})
	return s
}

// URL is what clients announce to.
func (s *Server) URL() string { return "ws://" + s.address }

// Stats returns a copy.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Sockets = len(s.conns)
	out.Closed = make(map[Cause]int, len(s.stats.Closed))
	for cause, n := range s.stats.Closed {
		out.Closed[cause] = n
	}
	out.Late = append([]Late(nil), s.stats.Late...)
	out.Age = append([]time.Duration(nil), s.stats.Age...)
	return out
}

// Swarms returns the number of members by info hash.
func (s *Server) Swarms() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.swarms))
	for hash, sw := range s.swarms {
		out[hash] = len(sw.members)
	}
	return out
}

// Down cuts all sockets and answers no dial until Up, as a tracker that crashed. Dials are counted all the same, which
// a closed port could not.
func (s *Server) Down() {
	s.mu.Lock()
	s.down, s.dials = true, nil
	s.mu.Unlock()
	s.cut()
}

// Up ends what Down began.
func (s *Server) Up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
}

// Dials are the times of all dials since Down, those after Up included.
func (s *Server) Dials() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.dials...)
}

func (s *Server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.ws.Close() // its reader clears up
	}
}

func (s *Server) expire() {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			s.mu.Lock()
			for _, sw := range s.swarms {
				for _, m := range append([]*member(nil), sw.members...) {
					if now.Sub(m.last) > 2*s.cfg.Interval {
						s.remove(m)
					}
				}
			}
			s.mu.Unlock()
		}
	}
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down := s.down
	// Seeders also give it reports and hashes, which it does not know.
	if websocket.IsWebSocketUpgrade(r) && (s.dials != nil || down) {
		s.dials = append(s.dials, time.Now())
	}
	s.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler) // closes the connection without a word
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &conn{server: s, ws: ws, out: make(chan []byte, outQueue), dead: make(chan struct{})}
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		_ = ws.Close() // it went down meanwhile
		return
	}
	s.conns[c] = struct{}{}
	s.stats.Opened++
	s.wg.Add(2) // a hijacked connection is not the HTTP server's any more
	s.mu.Unlock()
	go func() {
		defer s.wg.Done()
		c.write()
	}()
	defer s.wg.Done()
	c.read()
}

package sockets

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// Config limits the load that clients can cause. All fields must be set.
type Config struct {
	// MessageBytes is the longest message; SendQueueBytes may wait for one client (4 times as many for a seeder).
	MessageBytes, SendQueueBytes int
	// HeldBytes is how much memory all sockets together may hold for messages and buffers.
	HeldBytes int64
	// Sockets in total; SocketsPerAddress of one address, below 0 for any number.
	Sockets, SocketsPerAddress int
	// UpgradesPerSecond over time, UpgradeBurst at once.
	UpgradesPerSecond, UpgradeBurst int
	// AddressUpgradesPerSecond of one address over time, below 0 for any number, and AddressUpgradeBurst at once.
	AddressUpgradesPerSecond, AddressUpgradeBurst int
	// BytesPerSecond that one client may send over time, and ByteBurst at once (20 times as many for a seeder).
	BytesPerSecond, ByteBurst int
	// WriteTimeout of one write; PingInterval between keep-alives; FirstMessageTimeout until the first message, and
	// IdleTimeout without one. MessageTimeout is from the first byte of a message to its last one.
	WriteTimeout, PingInterval, FirstMessageTimeout, IdleTimeout, MessageTimeout time.Duration
	// Route returns the group that a request to connect is for, nil for none.
	Route func(r *http.Request) *Group
	// Panicked is called with a panic's value, by the function that recovered it; where is "socket".
	Panicked func(where string, value any)
}

// Server accepts WebSocket connections for the handlers of its groups.
type Server struct {
	cfg      Config
	log      *slog.Logger
	metrics  *metrics
	upgrader websocket.Upgrader
	upgrades *rate.Limiter
	// byAddress limits the upgrades of each client address.
	byAddress *addresses.Limiter
	budget    *budget
	started   time.Time
	logLimit  *rate.Limiter

	viewers, seeders atomic.Int64

	mu        sync.Mutex
	closed    bool
	groups    map[*Group]struct{}
	competing competing
	empty     chan struct{} // set while draining; closed when the last connection has ended
	addresses map[netip.Addr]int
	slots     [slots]map[*conn]struct{}
	nextSlot  int
	watched   map[*conn]struct{}
	wg        sync.WaitGroup
}

// New returns a server.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	s := &Server{cfg: cfg, log: log, started: time.Now(),
		upgrades:  rate.NewLimiter(rate.Limit(cfg.UpgradesPerSecond), cfg.UpgradeBurst),
		byAddress: addresses.NewLimiter(float64(cfg.AddressUpgradesPerSecond), cfg.AddressUpgradeBurst),
		budget:    newBudget(cfg.HeldBytes),
		logLimit:  rate.NewLimiter(1, 5),
		addresses: make(map[netip.Addr]int),
		groups:    make(map[*Group]struct{}),
		watched:   make(map[*conn]struct{}),
	}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		ReadBufferSize:   readBufferBytes,
		WriteBufferPool:  new(sync.Pool),
		// ServeHTTP has checked the origin, and counted a refusal.
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			http.Error(w, err.Error(), status)
		},
	}
	var err error
	s.metrics, err = newMetrics(s, reg)
	return s, err
}

// clock returns the milliseconds since the server started, never 0.
func (s *Server) clock() int64 { return time.Since(s.started).Milliseconds() + 1 }

// Viewers returns how many sockets viewers have.
func (s *Server) Viewers() int { return int(s.viewers.Load()) }

// Seeders returns how many sockets seeders have.
func (s *Server) Seeders() int { return int(s.seeders.Load()) }

// reserve counts a connection against the limits. It returns the name of the limit that refuses it, or "", and a connection
// to close in its favour, nil for none.
func (s *Server) reserve(c *conn) (limit string, victim *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || c.group.closed:
		return "draining", nil
	case !c.seeder && s.cfg.SocketsPerAddress >= 0 && s.addresses[c.address] >= s.cfg.SocketsPerAddress:
		return "sockets_per_address", nil
	case !c.seeder && c.group.full():
		return "sockets_of_stream", nil
	}
	total := int(s.viewers.Load()+s.seeders.Load()) - s.competing.leaving
	switch {
	// A hundredth of the sockets is reserved for seeders, because viewers gain little without them.
	case total >= s.cfg.Sockets, !c.seeder && total >= s.cfg.Sockets-s.cfg.Sockets/100:
		limit = "sockets"
	case !c.seeder && !s.budget.admits(readBufferBytes):
		limit = "memory"
	}
	if limit != "" {
		if victim = s.makeRoom(c.group); victim == nil {
			return limit, nil
		}
	}
	c.holdIdle(readBufferBytes)
	c.group.enter(c)
	if c.seeder {
		s.seeders.Add(1)
	} else {
		s.viewers.Add(1)
		s.addresses[c.address]++
	}
	s.wg.Add(1)
	c.slot = -1
	return "", victim
}

// begin adds a connection to the keep-alive.
func (s *Server) begin(c *conn) {
	now := s.clock()
	c.lastFrame.Store(now)
	c.opened = now
	s.mu.Lock()
	s.nextSlot = (s.nextSlot + 1) % slots
	c.slot = s.nextSlot
	if s.slots[c.slot] == nil {
		s.slots[c.slot] = make(map[*conn]struct{})
	}
	s.slots[c.slot][c] = struct{}{}
	c.group.link(c)
	closed := s.closed || c.group.closed
	s.mu.Unlock()
	if closed {
		c.Close(ReasonDrain)
	}
}

// release undoes reserve and begin.
func (s *Server) release(c *conn) {
	c.holdIdle(0)
	s.mu.Lock()
	if c.slot >= 0 {
		delete(s.slots[c.slot], c)
	}
	delete(s.watched, c)
	if c.seeder {
		s.seeders.Add(-1)
	} else {
		s.viewers.Add(-1)
		if s.addresses[c.address]--; s.addresses[c.address] <= 0 {
			delete(s.addresses, c.address)
		}
	}
	if c.yields {
		c.group.leaving--
		s.competing.leaving--
	}
	c.group.leave(c)
	if s.empty != nil && s.viewers.Load()+s.seeders.Load() == 0 {
		close(s.empty)
		s.empty = nil
	}
	s.mu.Unlock()
	s.wg.Done()
}

// finish cleans up after a connection whose reader has returned. session is nil if its handler panicked.
func (s *Server) finish(c *conn, session Session) {
	defer s.release(c)
	defer c.recovered()
	c.mu.Lock()
	reason := c.reason
	c.mu.Unlock()
	s.metrics.closed[reason].Inc()
	if session != nil {
		session.Closed()
	}
}

// innermost returns the connection below all wrappers that have a NetConn method.
func innermost(c net.Conn) net.Conn {
	for {
		w, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = w.NetConn()
	}
}

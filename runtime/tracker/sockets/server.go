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
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
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
	// Origin reports whether pages of that web origin may connect to the host they asked for.
	Origin func(origin, host string) bool
	// Tokens returns the tokens of which seeders must present one; if it is empty, no client is accepted as a seeder.
	Tokens func() []string
	// Join checks the credential of an edge seeder that has no token; its error is one of package joins. nil: none is
	// accepted.
	Join func(credential string) (joins.Credential, error)
	// Door decides whether a client may connect, after its origin and its seeder token. It returns the ticket that the
	// client presented, empty for a seeder or where none is required, and a refusal, nil for none. Nil: all may connect.
	Door func(r *http.Request, seeder bool) (tickets.Ticket, *Refusal)
	// Panicked is called with a panic's value, by the function that recovered it; where is "socket".
	Panicked func(where string, value any)
}

// Server accepts WebSocket connections for a handler.
type Server struct {
	cfg      Config
	log      *slog.Logger
	handler  Handler
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
	empty     chan struct{} // set while draining; closed when the last connection has ended
	addresses map[netip.Addr]int
	slots     [slots]map[*conn]struct{}
	nextSlot  int
	watched   map[*conn]struct{}
	wg        sync.WaitGroup
}

// New returns a server that passes messages to handler.
func New(cfg Config, handler Handler, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	s := &Server{cfg: cfg, log: log, handler: handler, started: time.Now(),
		upgrades:  rate.NewLimiter(rate.Limit(cfg.UpgradesPerSecond), cfg.UpgradeBurst),
		byAddress: addresses.NewLimiter(float64(cfg.AddressUpgradesPerSecond), cfg.AddressUpgradeBurst),
		budget:    newBudget(cfg.HeldBytes),
		logLimit:  rate.NewLimiter(1, 5),
		addresses: make(map[netip.Addr]int),
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

// OneAddress returns the address that the sockets of all viewers have, and how many sockets these are; not valid if there
// are several addresses, or none.
func (s *Server) OneAddress() (addr netip.Addr, viewers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.addresses) != 1 {
		return netip.Addr{}, 0
	}
	for addr, viewers = range s.addresses {
	}
	return addr, viewers
}

// reserve counts a connection against the limits. It returns the name of the limit that refuses it, or "".
func (s *Server) reserve(c *conn) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := int(s.viewers.Load() + s.seeders.Load())
	switch {
	case s.closed:
		return "draining"
	// A hundredth of the sockets is reserved for seeders, because viewers gain little without them.
	case total >= s.cfg.Sockets, !c.seeder && total >= s.cfg.Sockets-s.cfg.Sockets/100:
		return "sockets"
	case !c.seeder && s.cfg.SocketsPerAddress >= 0 && s.addresses[c.address] >= s.cfg.SocketsPerAddress:
		return "sockets_per_address"
	case !c.seeder && !s.budget.admits(readBufferBytes):
		return "memory"
	}
	c.holdIdle(readBufferBytes)
	if c.seeder {
		s.seeders.Add(1)
	} else {
		s.viewers.Add(1)
		s.addresses[c.address]++
	}
	s.wg.Add(1)
	c.slot = -1
	return ""
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
	closed := s.closed
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

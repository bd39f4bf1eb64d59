package front

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

// Config bounds what clients can cause. All fields must be set.
type Config struct {
	// MessageBytes is the longest message; SendQueueBytes may wait for one client (4 times as many for a seeder).
	MessageBytes, SendQueueBytes int
	// Sockets in total; SocketsPerAddress of one address, below 0 for any number.
	Sockets, SocketsPerAddress int
	// UpgradesPerSecond over time, UpgradeBurst at once.
	UpgradesPerSecond, UpgradeBurst int
	// AddressUpgradesPerSecond of one address over time, below 0 for any number, and AddressUpgradeBurst at once.
	AddressUpgradesPerSecond, AddressUpgradeBurst int
	// BytesPerSecond that one client may send over time, and ByteBurst at once (20 times as many for a seeder).
	BytesPerSecond, ByteBurst int
	// WriteTimeout of one write; PingInterval between keep-alives; FirstMessageTimeout until the first message, and
	// IdleTimeout without one.
	WriteTimeout, PingInterval, FirstMessageTimeout, IdleTimeout time.Duration
	// Origin reports whether pages of that web origin may connect to the host they asked for.
	Origin func(origin, host string) bool
	// Token returns what seeders must present; empty: nobody is a seeder.
	Token func() string
}

// Front accepts WebSocket connections for a handler.
type Front struct {
	cfg      Config
	log      *slog.Logger
	handler  Handler
	metrics  *metrics
	upgrader websocket.Upgrader
	upgrades *rate.Limiter
	// byAddress are the upgrades of each address.
	byAddress *addresses.Limiter
	started   time.Time
	logLimit  *rate.Limiter

	viewers, seeders atomic.Int64

	mu        sync.Mutex
	closed    bool
	empty     chan struct{} // closed when the last connection leaves a front that is closed
	addresses map[netip.Addr]int
	slots     [slots]map[*conn]struct{}
	nextSlot  int
	watched   map[*conn]struct{}
	wg        sync.WaitGroup
}

// New returns a front that passes messages to handler.
func New(cfg Config, handler Handler, log *slog.Logger, reg prometheus.Registerer) (*Front, error) {
	f := &Front{cfg: cfg, log: log, handler: handler, started: time.Now(),
		upgrades:  rate.NewLimiter(rate.Limit(cfg.UpgradesPerSecond), cfg.UpgradeBurst),
		byAddress: addresses.NewLimiter(float64(cfg.AddressUpgradesPerSecond), cfg.AddressUpgradeBurst),
		logLimit:  rate.NewLimiter(1, 5),
		addresses: make(map[netip.Addr]int),
		watched:   make(map[*conn]struct{}),
	}
	f.upgrader = websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		// An answer, the commonest message, fits and takes one system call. Of larger ones the rest bypasses the buffer.
		ReadBufferSize:  1536,
		WriteBufferPool: new(sync.Pool),
		// The origin was checked before, where it is counted.
		CheckOrigin: func(*http.Request) bool { return true },
		Error: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			http.Error(w, err.Error(), status)
		},
	}
	var err error
	f.metrics, err = newMetrics(f, reg)
	return f, err
}

// clock is milliseconds since the front began, never 0.
func (f *Front) clock() int64 { return time.Since(f.started).Milliseconds() + 1 }

// Viewers returns how many sockets viewers have.
func (f *Front) Viewers() int { return int(f.viewers.Load()) }

// Seeders returns how many sockets seeders have.
func (f *Front) Seeders() int { return int(f.seeders.Load()) }

// enter reserves a place for a connection; the name of the limit that is hit is returned, or "".
func (f *Front) enter(c *conn) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	total := int(f.viewers.Load() + f.seeders.Load())
	switch {
	case f.closed:
		return "draining"
	// A hundredth is kept for seeders, without which viewers have little to gain here.
	case total >= f.cfg.Sockets, !c.seeder && total >= f.cfg.Sockets-f.cfg.Sockets/100:
		return "sockets"
	case !c.seeder && f.cfg.SocketsPerAddress >= 0 && f.addresses[c.address] >= f.cfg.SocketsPerAddress:
		return "sockets_per_address"
	}
	if c.seeder {
		f.seeders.Add(1)
	} else {
		f.viewers.Add(1)
		f.addresses[c.address]++
	}
	f.wg.Add(1)
	c.slot = -1
	return ""
}

// begin makes a connection known to the keep-alive.
func (f *Front) begin(c *conn) {
	now := f.clock()
	c.lastFrame.Store(now)
	c.opened = now
	f.mu.Lock()
	f.nextSlot = (f.nextSlot + 1) % slots
	c.slot = f.nextSlot
	if f.slots[c.slot] == nil {
		f.slots[c.slot] = make(map[*conn]struct{})
	}
	f.slots[c.slot][c] = struct{}{}
	closed := f.closed
	f.mu.Unlock()
	if closed {
		c.Close(ReasonDrain)
	}
}

// leave gives the place of a connection back.
func (f *Front) leave(c *conn) {
	f.mu.Lock()
	if c.slot >= 0 {
		delete(f.slots[c.slot], c)
	}
	delete(f.watched, c)
	if c.seeder {
		f.seeders.Add(-1)
	} else {
		f.viewers.Add(-1)
		if f.addresses[c.address]--; f.addresses[c.address] <= 0 {
			delete(f.addresses, c.address)
		}
	}
	if f.empty != nil && f.viewers.Load()+f.seeders.Load() == 0 {
		close(f.empty)
		f.empty = nil
	}
	f.mu.Unlock()
	f.wg.Done()
}

// gone is the end of a connection whose reader has returned.
func (f *Front) gone(c *conn, session Session) {
	session.Closed()
	c.mu.Lock()
	reason := c.reason
	c.mu.Unlock()
	f.metrics.closed[reason].Inc()
	f.leave(c)
}

// below returns the connection under all wrappers that admit to be one.
func below(c net.Conn) net.Conn {
	for {
		w, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = w.NetConn()
	}
}

package sockets

import (
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// GroupConfig says who may open the sockets of a group, and what takes their messages. Handler and Origin must be set.
type GroupConfig struct {
	Handler Handler
	// Origin reports whether pages of that web origin may connect to the host they asked for.
	Origin func(origin, host string) bool
	// Seeders returns who is a seeder; nil: no client is.
	Seeders func() doors.Seeders
	// Join checks the credential of an edge seeder that has no token; its error is one of package joins. nil: none is
	// accepted.
	Join func(credential string) (joins.Credential, error)
	// Door decides whether a client may connect, after its origin and its seeder token. It returns the ticket that the
	// client presented, empty for a seeder or where none is required, and a refusal, nil for none. Nil: all may connect.
	Door func(r *http.Request, seeder bool) (tickets.Ticket, *Refusal)
	// Sockets is how many viewers may have; 0: as many as the server takes.
	Sockets int
	// Arrived is called when the first viewer of a group that has none has come, under the server's lock; may be nil.
	Arrived func()
	// Weight returns the group's weight where groups compete; nil: 1.
	Weight func() int64
	// KeepRequest tells the handler what a client sent with its request, for a decision that comes later.
	KeepRequest bool
}

// Group is the sockets of one stream.
type Group struct {
	server           *Server
	cfg              GroupConfig
	viewers, seeders atomic.Int64

	// server.mu guards what follows.
	closed    bool
	leaving   int   // sockets that are being closed in favour of other groups
	newest    *conn // of the viewers
	asked     int64 // when a client last asked to connect, by the server's clock
	asks      tokenbucket.Bucket
	empty     chan struct{} // set while draining; closed when the last socket has ended
	addresses map[netip.Addr]int
}

// NewGroup returns a group without sockets. One that is not used any more is drained and dropped.
func (s *Server) NewGroup(cfg GroupConfig) *Group {
	g := &Group{server: s, cfg: cfg, addresses: make(map[netip.Addr]int)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[g] = struct{}{}
	return g
}

// Viewers returns how many sockets viewers of the group have.
func (g *Group) Viewers() int { return int(g.viewers.Load()) }

// Seeders returns how many sockets seeders of the group have.
func (g *Group) Seeders() int { return int(g.seeders.Load()) }

// OneAddress returns the address that the sockets of all viewers have, and how many sockets these are; not valid if there
// are several addresses, or none.
func (g *Group) OneAddress() (addr netip.Addr, viewers int) {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	if len(g.addresses) != 1 {
		return netip.Addr{}, 0
	}
	for addr, viewers = range g.addresses {
	}
	return addr, viewers
}

// full reports whether viewers have as many sockets as they may have. server.mu is held, as by those that follow.
func (g *Group) full() bool { return g.cfg.Sockets > 0 && g.Viewers() >= g.cfg.Sockets }

func (g *Group) enter(c *conn) {
	if c.seeder {
		g.seeders.Add(1)
		return
	}
	first := g.viewers.Add(1) == 1
	g.addresses[c.address]++
	if first && g.cfg.Arrived != nil {
		g.cfg.Arrived()
	}
}

func (g *Group) leave(c *conn) {
	if c.seeder {
		g.seeders.Add(-1)
	} else {
		g.viewers.Add(-1)
		g.unlink(c)
		if g.addresses[c.address]--; g.addresses[c.address] <= 0 {
			delete(g.addresses, c.address)
		}
	}
	g.report()
}

// report tells a drain that the last socket has ended.
func (g *Group) report() {
	if g.empty != nil && g.viewers.Load()+g.seeders.Load() == 0 {
		close(g.empty)
		g.empty = nil
	}
}

// Refuse lets no further client in.
func (g *Group) Refuse() {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.closed = true
}

// Drain lets no further client in, closes the sockets of seeders at once and those of viewers over a period, and returns when
// the last one has ended. It is called once.
func (g *Group) Drain(period time.Duration) {
	s := g.server
	s.mu.Lock()
	g.closed = true
	ended := make(chan struct{})
	g.empty = ended
	g.report()
	seeders, viewers := s.all(g)
	s.mu.Unlock()
	hangUp(seeders, viewers, period, ended)
	<-ended
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.groups, g)
}

// Move makes an open socket one of another group. It returns false if that has no room, and changes nothing. Its handler is
// not told.
func (c *conn) Move(to *Group) bool {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if to.closed || c.yields || !c.seeder && to.full() {
		return false
	}
	c.group.leave(c)
	c.group = to
	to.enter(c)
	to.link(c)
	return true
}

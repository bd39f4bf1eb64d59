package sockets

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/p2pstream/p2pstream/internal/fairshare"
)

// budget counts the bytes that all sockets hold: unfinished and unhandled messages, queued frames, and the buffers
// that a socket keeps for reading. Every socket counts its own share, so that the largest can be found.
type budget struct {
	limit int64
	used  atomic.Int64
	// idle is the part of used that sockets hold even if they neither send nor receive.
	idle atomic.Int64
	// exceeded is signaled when used has grown above the limit.
	exceeded chan struct{}
}

func newBudget(limit int64) *budget { return &budget{limit: limit, exceeded: make(chan struct{}, 1)} }

func (b *budget) add(n int64) {
	if b.used.Add(n) > b.limit && n > 0 {
		select {
		case b.exceeded <- struct{}{}:
		default: // signaled already
		}
	}
}

// admits reports whether there is room for another socket that holds n bytes while idle. Only what sockets hold while
// idle counts, up to three quarters of the limit: the rest is for messages, and a few clients that use it up must not
// keep others out.
func (b *budget) admits(n int64) bool { return b.idle.Load()+n <= b.limit/4*3 }

// hold adds n bytes to what the socket holds; n is negative for bytes that are free again.
func (c *conn) hold(n int) {
	if n != 0 {
		c.held.Add(int64(n))
		c.server.budget.add(int64(n))
	}
}

// holdIdle sets how many bytes the socket keeps for reading, above the smallest amount.
func (c *conn) holdIdle(n int) {
	d := int64(n) - c.idleHeld.Swap(int64(n))
	c.server.budget.idle.Add(d)
	c.server.budget.add(d)
}

// size is how many bytes closing the socket frees.
func (c *conn) size() int64 { return c.held.Load() + c.idleHeld.Load() }

// relieve closes the sockets that hold most until the budget is kept again, with an eighth to spare so that it need not
// run soon again. Seeders come last: they are trusted, and viewers gain little without them.
func (s *Server) relieve() {
	b := s.budget
	excess := b.used.Load() - b.limit
	if excess <= 0 {
		return
	}
	var holders []*conn
	s.mu.Lock()
	for _, slot := range s.slots {
		for c := range slot {
			holders = append(holders, c)
		}
	}
	s.mu.Unlock()
	sizes := make(map[*conn]int64, len(holders))
	holders = slices.DeleteFunc(holders, func(c *conn) bool {
		size := c.size()
		if c.ending() {
			excess -= size // it is free soon
			return true
		}
		sizes[c] = size
		return size <= readBufferBytes
	})
	if excess <= 0 {
		return
	}
	excess += b.limit / 8
	slices.SortFunc(holders, func(x, y *conn) int {
		if x.seeder != y.seeder {
			if x.seeder {
				return 1
			}
			return -1
		}
		return cmp.Compare(sizes[y], sizes[x])
	})
	for _, c := range s.chooseHolders(holders, sizes, excess) {
		c.Close(ReasonMemory)
	}
}

// chooseHolders returns which connections to close until the excess is gone: of the groups that hold most for their weight, in
// the order that is given. Seeders, which come last in it, are closed after the viewers of all groups.
func (s *Server) chooseHolders(holders []*conn, sizes map[*conn]int64, excess int64) (chosen []*conn) {
	s.mu.Lock()
	var groups []*Group
	of, held := map[*Group][]*conn{}, map[*Group]*fairshare.Use{}
	for _, c := range holders {
		if held[c.group] == nil {
			groups = append(groups, c.group)
			held[c.group] = &fairshare.Use{Weight: c.group.weight()}
		}
		of[c.group] = append(of[c.group], c)
		held[c.group].Used += sizes[c]
	}
	s.mu.Unlock()
	for _, seeders := range []bool{false, true} {
		for excess > 0 {
			var most *Group
			for _, g := range groups {
				if len(of[g]) > 0 && of[g][0].seeder == seeders && (most == nil || fairshare.More(*held[g], *held[most])) {
					most = g
				}
			}
			if most == nil {
				break
			}
			c := of[most][0]
			of[most] = of[most][1:]
			held[most].Used -= sizes[c]
			excess -= sizes[c]
			chosen = append(chosen, c)
		}
	}
	return chosen
}

package sockets

import (
	"context"
	"time"
)

// Run keeps connections alive until ctx ends, then closes them over the drain period and waits for them.
func (s *Server) Run(ctx context.Context, drain time.Duration) {
	s.keepAlive(ctx)
	s.drain(drain)
	s.wg.Wait()
}

// Refuse makes the server refuse new sockets from now on, as Run does when it starts to drain.
func (s *Server) Refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// headStart is the part of the drain period, a tenth, between the closing of the seeders' connections and the first
// viewer's.
const headStart = 10

// drain closes all connections: those of seeders at once, so that viewers find them on the next tracker, and those of
// viewers evenly over the period, so that clients do not all reconnect at the same time. It ends early when no
// connection is left.
func (s *Server) drain(period time.Duration) {
	seeders, viewers, empty := s.close()
	hangUp(seeders, viewers, period, empty)
}

// hangUp closes connections as drain says. It ends early when empty is closed.
func hangUp(seeders, viewers []*conn, period time.Duration, empty <-chan struct{}) {
	for _, c := range seeders {
		c.Close(ReasonDrain)
	}
	began := time.Now()
	var lead time.Duration
	if len(seeders) > 0 {
		lead = period / headStart
	}
	due := time.NewTimer(0)
	defer due.Stop()
	for i, c := range viewers {
		due.Reset(time.Until(began.Add(lead + (period-lead)*time.Duration(i)/time.Duration(len(viewers)))))
		select {
		case <-due.C:
		case <-empty:
			return
		}
		c.Close(ReasonDrain)
	}
}

// close makes the server refuse new sockets and returns the open ones; empty is closed when the last of them has ended.
func (s *Server) close() (seeders, viewers []*conn, empty <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	seeders, viewers = s.all(nil)
	s.empty = make(chan struct{})
	empty = s.empty
	if s.viewers.Load()+s.seeders.Load() == 0 {
		close(s.empty)
		s.empty = nil
	}
	return seeders, viewers, empty
}

// all returns the open connections of a group, of all groups if it is nil. s.mu is held.
func (s *Server) all(g *Group) (seeders, viewers []*conn) {
	for _, slot := range s.slots {
		for c := range slot {
			switch {
			case g != nil && c.group != g:
			case c.seeder:
				seeders = append(seeders, c)
			default:
				viewers = append(viewers, c)
			}
		}
	}
	return seeders, viewers
}

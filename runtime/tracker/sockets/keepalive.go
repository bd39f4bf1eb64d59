package sockets

import (
	"context"
	"time"
)

// slots is the number of groups that connections are split into; each group is pinged at a different time.
const slots = 32

// probeTimeout is how long a client may take to answer a probe.
const probeTimeout = 4 * time.Second

// watch adds a probed connection to those checked by checkProbes.
func (s *Server) watch(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.slot >= 0 {
		s.watched[c] = struct{}{}
	}
}

// keepAlive pings connections, and closes dead and idle ones, until ctx ends.
func (s *Server) keepAlive(ctx context.Context) {
	turn := time.NewTicker(s.cfg.PingInterval / slots)
	defer turn.Stop()
	probes := time.NewTicker(time.Second)
	defer probes.Stop()
	var batch []*conn
	for slot := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
			slot = (slot + 1) % slots
			batch = s.members(batch[:0], slot)
			s.keepSlot(batch)
			clear(batch)
		case <-probes.C:
			s.checkProbes()
			s.relieve() // also when a signal came while sockets were being closed, and they did not free enough
		case <-s.budget.exceeded:
			s.relieve()
		}
	}
}

func (s *Server) members(dst []*conn, slot int) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.slots[slot] {
		dst = append(dst, c)
	}
	return dst
}

func (s *Server) keepSlot(batch []*conn) {
	now := s.clock()
	dead := (2*s.cfg.PingInterval + 5*time.Second).Milliseconds()
	for _, c := range batch {
		c.framesWithoutMessage.Store(0)
		switch {
		case now-c.lastFrame.Load() > dead:
			c.Close(ReasonDead)
		case c.idle(now):
			c.Close(ReasonIdle)
		default:
			c.ping()
		}
	}
}

// idle reports whether the client has sent no message for too long. The limit for the first message is shorter.
func (c *conn) idle(now int64) bool {
	if last := c.lastMessage.Load(); last != 0 {
		return now-last > c.server.cfg.IdleTimeout.Milliseconds()
	}
	return now-c.opened > min(c.server.cfg.FirstMessageTimeout, c.server.cfg.IdleTimeout).Milliseconds()
}

func (s *Server) checkProbes() {
	now := s.clock()
	var dead []*conn
	s.mu.Lock()
	for c := range s.watched {
		switch at := c.probed.Load(); {
		case at == 0:
			delete(s.watched, c)
		case now-at > probeTimeout.Milliseconds():
			delete(s.watched, c)
			dead = append(dead, c)
		}
	}
	s.mu.Unlock()
	for _, c := range dead {
		c.Close(ReasonDead)
	}
}

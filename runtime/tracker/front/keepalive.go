package front

import (
	"context"
	"time"
)

// slots is into how many groups the connections are split; each group gets its pings at another time.
const slots = 32

// probeTimeout is how long a connection may take for a sign of life that was asked for.
const probeTimeout = 4 * time.Second

// watch has the probed connection looked at in time.
func (f *Front) watch(c *conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.slot >= 0 {
		f.watched[c] = struct{}{}
	}
}

// keepAlive pings and cuts connections until ctx ends.
func (f *Front) keepAlive(ctx context.Context) {
	turn := time.NewTicker(f.cfg.PingInterval / slots)
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
			batch = f.members(batch[:0], slot)
			f.keepSlot(batch)
			clear(batch)
		case <-probes.C:
			f.checkProbes()
		}
	}
}

func (f *Front) members(dst []*conn, slot int) []*conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.slots[slot] {
		dst = append(dst, c)
	}
	return dst
}

func (f *Front) keepSlot(batch []*conn) {
	now := f.clock()
	dead := (2*f.cfg.PingInterval + 5*time.Second).Milliseconds()
	for _, c := range batch {
		c.chatter.Store(0)
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

// idle reports whether the client has said nothing for too long. One that never has is given less time.
func (c *conn) idle(now int64) bool {
	if last := c.lastMessage.Load(); last != 0 {
		return now-last > c.front.cfg.IdleTimeout.Milliseconds()
	}
	return now-c.opened > min(c.front.cfg.FirstMessageTimeout, c.front.cfg.IdleTimeout).Milliseconds()
}

func (f *Front) checkProbes() {
	now := f.clock()
	var dead []*conn
	f.mu.Lock()
	for c := range f.watched {
		switch at := c.probed.Load(); {
		case at == 0:
			delete(f.watched, c)
		case now-at > probeTimeout.Milliseconds():
			delete(f.watched, c)
			dead = append(dead, c)
		}
	}
	f.mu.Unlock()
	for _, c := range dead {
		c.Close(ReasonDead)
	}
}

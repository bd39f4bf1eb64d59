package core

import (
	"slices"
	"time"
)

// standing is what is remembered of a peer while it is connected.
type standing struct {
	conduct
	newest newestOf
}

// Came takes a new connection to a peer.
func (c *Core) Came(p Peer) {
	c.peers = append(c.peers, p)
	c.standing[p] = &standing{}
}

// Left takes the end of a connection.
func (c *Core) Left(p Peer) {
	c.peers = slices.DeleteFunc(c.peers, func(other Peer) bool { return other == p })
	delete(c.standing, p)
	for _, seg := range c.table.order {
		if seg.NotFrom == p {
			seg.NotFrom = nil
		}
	}
}

// forgetPeers drops all peers: they are those of a former event.
func (c *Core) forgetPeers() {
	c.peers = nil
	clear(c.standing)
}

// usable tells whether a peer may be asked for what it announces at now.
func (c *Core) usable(p Peer, now time.Time) bool {
	record := c.standing[p]
	return record == nil || record.usable(now)
}

// blame notes that a peer did not deliver what it announced.
func (c *Core) blame(p Peer, now time.Time) {
	record := c.standing[p]
	if record == nil {
		record = &standing{} // its connection has ended, so it is neither asked again nor closed
	}
	p.Blame(record.failed(now))
}

// praise notes that a peer delivered a segment.
func (c *Core) praise(p Peer) {
	if record := c.standing[p]; record != nil {
		record.succeeded()
	}
}

package core

import (
	"slices"
	"time"
)

// Came takes a new connection to a peer.
func (c *Core) Came(p Peer) {
	c.peers = append(c.peers, p)
	c.conduct[p] = &conduct{}
}

// Left takes the end of a connection.
func (c *Core) Left(p Peer) {
	c.peers = slices.DeleteFunc(c.peers, func(other Peer) bool { return other == p })
	delete(c.conduct, p)
	for _, seg := range c.table.order {
		if seg.NotFrom == p {
			seg.NotFrom = nil
		}
	}
}

// forgetPeers drops all peers: they are those of a former event.
func (c *Core) forgetPeers() {
	c.peers = nil
	clear(c.conduct)
}

// usable tells whether a peer may be asked for what it announces at now.
func (c *Core) usable(p Peer, now time.Time) bool {
	record := c.conduct[p]
	return record == nil || record.usable(now)
}

// blame notes that a peer did not deliver what it announced.
func (c *Core) blame(p Peer, now time.Time) {
	record := c.conduct[p]
	if record == nil {
		record = &conduct{} // its connection has ended, so it is neither asked again nor closed
	}
	p.Blame(record.failed(now))
}

// praise notes that a peer delivered a segment.
func (c *Core) praise(p Peer) {
	if record := c.conduct[p]; record != nil {
		record.succeeded()
	}
}

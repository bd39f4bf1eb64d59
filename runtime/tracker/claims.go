package tracker

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// claims say which stream of a table has which info hash. Of two streams with one swarm, the first in the table has it, from before it is
// read: while its origin cannot be reached, or its entry has just changed, the swarm is not free for the taking.
type claims struct {
	// owners is replaced, and never changed.
	owners atomic.Pointer[map[signaling.ID]*stream]

	mu     sync.Mutex
	ranks  []*stream // in the order of the table
	hashes map[*stream][]signaling.ID
	taken  map[*stream]table.Key // of which stream has a swarm of theirs
}

// claim notes the info hashes of a stream.
func (s *streams) claim(st *stream, hashes []signaling.ID) {
	if s.only == nil {
		s.claims.set(st, hashes)
	}
}

func (c *claims) set(st *stream, hashes []signaling.ID) {
	hashes = slices.Clone(hashes)
	slices.SortFunc(hashes, func(a, b signaling.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(c.hashes[st], hashes) {
		return
	}
	if c.hashes == nil {
		c.hashes = map[*stream][]signaling.ID{}
	}
	c.hashes[st] = hashes
	c.settle()
}

// order takes the streams of a table.
func (c *claims) order(ranks []*stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ranks = ranks
	c.settle()
}

// drop forgets a stream.
func (c *claims) drop(st *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.hashes, st)
	c.settle()
}

// settle gives each info hash to the first stream that has it, unless an earlier one is named for the same swarm. c.mu is held.
func (c *claims) settle() {
	owners := map[signaling.ID]*stream{}
	named := map[string]*stream{}
	taken := map[*stream]table.Key{}
	for _, st := range c.ranks {
		holder := named[st.swarm]
		st.hub.shuts(holder != nil)
		if holder != nil {
			taken[st] = holder.key
			continue
		}
		named[st.swarm] = st
		var denied []signaling.ID
		for _, hash := range c.hashes[st] {
			owner := owners[hash]
			if owner == nil {
				owners[hash] = st
				continue
			}
			denied = append(denied, hash)
			taken[st] = owner.key
		}
		st.hub.deny(denied)
	}
	if !maps.Equal(taken, c.taken) {
		for st, by := range taken {
			if c.taken[st] != by {
				st.log.Warn("an earlier stream of the table has the same swarm; viewers of this one play without peers", "by", by.String())
			}
		}
	}
	c.taken = taken
	c.owners.Store(&owners)
}

// owner returns the stream of an info hash, nil if there is none.
func (c *claims) owner(hash signaling.ID) *stream {
	if owners := c.owners.Load(); owners != nil {
		return (*owners)[hash]
	}
	return nil
}

// takenFrom returns which stream has a swarm of this one.
func (c *claims) takenFrom(st *stream) (by table.Key, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	by, ok = c.taken[st]
	return by, ok
}

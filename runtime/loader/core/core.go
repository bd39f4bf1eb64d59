package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Core is the state of one rendition at one peer.
type Core struct {
	// Config may be changed before the first event.
	Config Config
	// Changed is set when other segments are to be announced than before, or as something else. The driver clears it.
	Changed bool

	driver Driver
	store  Store

	playlist   *manifest.Playlist
	failing    bool      // the playlist cannot be refreshed
	newestAt   time.Time // when the newest segment was first seen
	table      table
	peers      []Peer
	standing   map[Peer]*standing // of each of them
	origin     originHealth
	history    history
	filling    filling
	census     Census
	playhead   *playhead // of a viewer that plays; nil for seeders and on demand
	players    players
	event      event
	refusals   refusals
	joinedAt   time.Time
	hadNoPeers bool // no peer was connected the last time that the rendition was awake
}

// New returns a peer's state before its first playlist. clock is nil unless the peer plays.
func New(cfg Config, driver Driver, store Store, clock Clock, now time.Time) *Core {
	c := &Core{
		Config: cfg, driver: driver, store: store, table: newTable(), standing: make(map[Peer]*standing), players: newPlayers(), joinedAt: now,
	}
	if clock != nil {
		c.playhead = &playhead{clock: clock}
	}
	return c
}

// HadNoPeers notes that no peer was connected the last time that the rendition was awake: it does not wait long for the first
// one. It is called before the first event.
func (c *Core) HadNoPeers() { c.hadNoPeers = true }

// Tick does what is due: requests that cannot be answered fail, segments that left the playlist are dropped, and what is to be
// played or held is asked for. A peer that is leaving asks for nothing more if it is a seeder.
func (c *Core) Tick(leaving bool, now time.Time) {
	c.failRequests(now)
	c.Retire(now)
	switch {
	case c.playlist == nil:
	case !c.Config.Seeder:
		c.view(now)
	case !leaving:
		c.seed(now)
	}
}

// Until is when the first segment that waits for another seeder is not waited for any longer; zero: none waits.
func (c *Core) Until() time.Time { return c.filling.until }

// Playlist is the last one; nil before the first.
func (c *Core) Playlist() *manifest.Playlist { return c.playlist }

// Segments are those that are known, in the order of the playlist; those that left it come first. They belong to the Core.
func (c *Core) Segments() []*Segment { return c.table.order }

// OriginFailures is how often the origin failed in a row.
func (c *Core) OriginFailures() int { return c.origin.failures }

// Waiting is how many requests of players wait for bytes.
func (c *Core) Waiting() int { return c.players.requests() }

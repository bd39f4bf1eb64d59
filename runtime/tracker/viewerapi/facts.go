package viewerapi

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

// Swarms is the handler's view of the tracker's core. Its methods are safe for concurrent use and must not block.
type Swarms interface {
	Snapshot() []SwarmCount // peers of each info hash, seeders included
	Audience() Audience     // sockets
}

// SwarmCount counts the members of one swarm.
type SwarmCount struct {
	InfoHash string
	Peers    int // memberships, seeders included
	Seeders  int
}

// Audience counts sockets: a browser page or a p2pstream viewer has one socket for all its swarms.
type Audience struct {
	ViewerSockets, SeederSockets int
	// OneAddress is the address that all viewers have, if they are many; empty: they have several.
	OneAddress string
}

// StreamFacts returns what is known about the stream without a request to the origin; it must not block.
type StreamFacts interface {
	Facts() Facts
}

// Refresher is implemented by StreamFacts that can be made newer; *StreamFollower is one.
type Refresher interface {
	// Refresh waits, for some seconds at most, until the facts are good enough for a page that joins now. It tells whether
	// they are.
	Refresh(ctx context.Context) bool
}

// Adopter is implemented by StreamFacts that take the swarm id that a seeder knows; *StreamFollower is one.
type Adopter interface {
	Adopt(swarmID string)
}

// Facts are what the follower last read about the stream. They stay, with their time, while the origin fails.
type Facts struct {
	At         time.Time         // when the playlist was last read; zero: never
	Problem    string            // why the last attempt failed, "" when it did not
	Format     string            // manifest.FormatHLS or another one; empty: unknown
	SwarmID    string            // the configured one, else the default for the manifest's response URL; with the epoch of a later event
	Playlist   settings.Playlist // of one rendition, with the window as of At
	Followed   string            // name of that rendition
	Renditions []Rendition
	// Peerable is nil while unknown; Reason is a CamelCase word and Message a sentence when it is false. Message is a
	// warning when it is true.
	Peerable        *bool
	Reason, Message string
	// MainOff and SecondaryOff say that viewers take renditions of that type from the origin alone.
	MainOff, SecondaryOff bool
	// DoubtSince is since when it is open whether a new event began: numbers went back. Zero: it is not open.
	DoubtSince time.Time
	// FormerHashes are the info hashes of the event before, whose pages may still play it.
	FormerHashes []string
}

// Rendition is one quality or audio track and the swarms it makes.
type Rendition struct {
	Name       string
	Type       string // "main" or "secondary"
	Bandwidth  int64  // bits per second as the manifest states it
	Codecs     string
	Resolution string
	InfoHashes map[string]string // by generation, such as "v2.2" and "v2.3"
	// Keys are what pages call it in their reports: the type and the index of their generation, such as "main-0".
	Keys []string
}

// generations returns the names of the generations in a stable order.
func generations(infoHashes map[string]string) []string { return slices.Sorted(maps.Keys(infoHashes)) }

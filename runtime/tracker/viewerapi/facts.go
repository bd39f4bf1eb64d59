package viewerapi

import (
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
}

// StreamFacts returns what is known about the stream without a request to the origin; it must not block.
type StreamFacts interface {
	Facts() Facts
}

// Facts are what the follower last read about the stream. They stay, with their time, while the origin fails.
type Facts struct {
	At         time.Time         // when the playlist was last read; zero: never
	Problem    string            // why the last attempt failed, "" when it did not
	SwarmID    string            // the configured one, else the default for the manifest's response URL
	Playlist   settings.Playlist // of one rendition, with the window as of At
	Followed   string            // name of that rendition
	Renditions []Rendition
	// Peerable is nil while unknown; Reason is a CamelCase word and Message a sentence when it is false.
	Peerable        *bool
	Reason, Message string
}

// Rendition is one quality or audio track and the swarms it makes.
type Rendition struct {
	Name       string
	Type       string // "main" or "secondary"
	Bandwidth  int64  // bits per second as the manifest states it
	Codecs     string
	Resolution string
	InfoHashes map[string]string // by generation, such as "v2.2" and "v2.3"
}

// generations returns the names of the generations in a stable order.
func generations(infoHashes map[string]string) []string { return slices.Sorted(maps.Keys(infoHashes)) }

package rendition

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
	"github.com/p2pstream/p2pstream/runtime/loader/upload"
)

// Settings say how a rendition takes part; all are set.
type Settings struct {
	Seeder bool // hold every segment; otherwise play, or serve players
	Edge   bool // of a seeder: get segments from other seeders before the origin, see core/fill.go
	// PeerIDPrefix are the first characters of a seeder's peer ids; empty: identity.SeederPrefix.
	PeerIDPrefix string
	OnDemand     bool // serve players (Rendition.Watch) instead of playing
	Generations  []identity.Generation
	Asked        DefaultSwarms
	Trackers     []string // ws:// or wss:// URLs; empty: origin only
	// OriginOnly are the types of renditions that are not shared: peers could not tell them apart.
	OriginOnly []identity.StreamType

	MaxPeers        int   // connections over all swarms of the engine
	MaxMessageSize  int   // bytes of a data-channel message
	MaxSegmentBytes int64 // larger segments are refused
	UploadDisabled  bool
	SuperSeeding    superseed.Mode // of a seeder; empty: off
	Verify          bool           // compare each completed segment with the origin's own bytes

	Patience  time.Duration // how long a player with media to play waits for peers; OnDemand only
	WaitLimit time.Duration // how long a player waits for any byte; OnDemand only

	LiveDelay         time.Duration // distance to the live edge at the start; 0: as the playlist and LiveDelaySegments say
	LiveDelaySegments int           // the same in target durations; 0: as the playlist says
	StartupWait       time.Duration // how long to wait for peers before the origin is asked for the first segment
	PrefetchDelay     time.Duration // how long after the start the origin is asked for urgent segments only
	Limits            schedule.Limits
	SeedersHold       bool // seeders hold the stream, as the tracker says
}

// MaxSegments is how many segments are known at a time, over all renditions of an engine.
const MaxSegments = 200_000

// Shared is what all renditions of one engine use.
type Shared struct {
	Settings Settings
	Source   *manifest.Source
	Node     *mesh.Node // nil: no peers
	Log      *slog.Logger
	Store    *store.Store
	Uplink   *upload.Uplink
	Playback *playback.Clock // nil for seeders and on demand
	Counters *traffic.Recorder
	Transit  *transit.Budget
	Verifier *fetch.Verifier
	Checker  *hashes.Checker // of segments from peers; nil: they are taken without a check
	Journal  *hashes.Journal // of what the origin gave; nil: no tracker wants it
	Seed     uint64          // makes this peer's choices differ from other peers'
	Work     *sync.WaitGroup // goroutines that the engine waits for when it ends
	Peers    *Connections
	Segments *atomic.Int64 // known, over all renditions; at most MaxSegments

	// Claim takes a swarm for one rendition; false if another one has it.
	Claim func(identity.InfoHash) bool
	// Evicted tells all renditions that segments left the store. It must not block.
	Evicted func([]store.Key)
	// NewEvent takes note of a rendition whose playlist shows a new event. It tells whether the swarms are left for those of
	// that event; the engine then leaves and joins them. It must not block. nil: they are not.
	NewEvent func(*Rendition) bool
	// Draining tells whether the engine is leaving: no swarm is joined any more.
	Draining func() bool
}

// Connections counts an engine's open connections over all swarms. It may be used by many goroutines.
type Connections struct {
	open       atomic.Int64
	lastChange atomic.Int64 // Unix nanoseconds; 0: never
}

// Open is the number of open connections.
func (c *Connections) Open() int { return int(c.open.Load()) }

// opened counts one more; false if that is more than limit.
func (c *Connections) opened(limit int, now time.Time) bool {
	if c.open.Add(1) > int64(limit) {
		return false
	}
	c.lastChange.Store(now.UnixNano())
	return true
}

func (c *Connections) closed(now time.Time) {
	c.open.Add(-1)
	c.lastChange.Store(now.UnixNano())
}

// recent is how long a connection proves that peers can be reached.
const recent = 5 * time.Minute

// reachable tells whether a peer is or was connected recently.
func (c *Connections) reachable(now time.Time) bool {
	return c.Open() > 0 || now.Sub(time.Unix(0, c.lastChange.Load())) < recent
}

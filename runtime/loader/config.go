package loader

import (
	"cmp"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// Role is what an engine is there for.
type Role int

// The roles.
const (
	RoleViewer Role = iota // plays one rendition (and its audio), shares what it holds
	RoleSeeder             // holds every rendition it is given, ahead of the audience
)

// Defaults of Config.
const (
	DefaultStoreBytes      = 256 << 20
	DefaultMaxSegmentBytes = 64 << 20
	DefaultMaxPeers        = 50
)

// Config says what an engine does. Zero values get defaults.
type Config struct {
	Role Role
	// Edge makes a seeder get segments from other seeders before it asks the origin, and share that work with those of its
	// site, as the tracker says which are.
	Edge bool
	// PeerIDPrefix are the first characters of a seeder's peer ids; empty: identity.SeederPrefix.
	PeerIDPrefix string
	Source       *manifest.Source
	SwarmID      string   // empty: what an unconfigured player derives from the manifest's response URL
	Trackers     []string // ws:// or wss:// URLs; empty: no peers, origin only

	// OriginOnly are the types of renditions that are not shared with peers, as the tracker says.
	OriginOnly []identity.StreamType
	// Generations to join; empty: v2.3 for viewers, v2.2 if they play DASH, identity.DefaultGenerations for seeders.
	Generations []identity.Generation
	// Select picks the renditions; nil: all for seeders, for viewers the first main one and the first audio track.
	Select func([]manifest.Rendition) []manifest.Rendition

	MaxPeers        int   // connections over all swarms of the engine
	MaxMessageSize  int   // bytes of a data-channel message
	StoreBytes      int64 // bytes of segments held
	MaxSegmentBytes int64 // larger segments are refused, from peers and from the origin
	UploadDisabled  bool
	// SuperSeeding says from which viewers a seeder holds segments back that another one brings; empty: superseed.Auto.
	SuperSeeding superseed.Mode
	Verify       bool // compare each completed segment with the origin's own bytes

	// NewEvent is called when a new event has begun under the URL and a tracker is to name its swarms (TakeSwarmID), again
	// and again until it does, for some seconds. It must not block. nil: the swarm id that a tracker names is awaited.
	NewEvent func()

	// OnDemand makes a viewer fetch what its players ask for (Engine.Watch) instead of playing by itself. Renditions
	// without players sleep.
	OnDemand bool
	// Patience is how long a player with media to play waits for peers; OnDemand only.
	Patience time.Duration
	// WaitLimit is how long a player waits for any byte before its request fails; OnDemand only.
	WaitLimit time.Duration

	// LiveDelay is how far behind the live edge a viewer starts; 0: as hls.js with p2p-media-loader 2.3 does.
	LiveDelay time.Duration
	// LiveDelaySegments is the same in target durations; LiveDelay wins.
	LiveDelaySegments int
	// StartupWait is how long a viewer waits for peers before it asks the origin for its first segment.
	StartupWait time.Duration
	// PrefetchDelay is how long after the start a viewer asks the origin only for what it is about to play.
	PrefetchDelay time.Duration
	// SeedersHold says that seeders hold the stream. A viewer with peers in its own site then leaves it to these and the
	// seeders to bring segments, until soon before it plays them.
	SeedersHold bool
	Limits      schedule.Limits
}

// DefaultLimits are the viewer's bounds when Config.Limits is zero.
var DefaultLimits = schedule.Limits{
	HTTPSlots: 2, PeerSlots: 3,
	Urgent: 3 * time.Second, HTTPAhead: 16 * time.Second, PeerAhead: 2 * time.Minute,
	Patience: 500 * time.Millisecond,
}

// ConfigError says which field of a Config cannot be used, and why. New returns it.
type ConfigError struct{ Field, Problem string }

func (e *ConfigError) Error() string { return "config." + e.Field + ": " + e.Problem }

// Validate returns a *ConfigError for the first field that cannot be used. New calls it.
func (c Config) Validate() error {
	switch {
	case c.Source == nil:
		return &ConfigError{"source", "is missing; create it with manifest.NewSource"}
	case c.Role != RoleViewer && c.Role != RoleSeeder:
		return &ConfigError{"role", fmt.Sprintf("%d is neither RoleViewer nor RoleSeeder", c.Role)}
	case c.OnDemand && c.Role != RoleViewer:
		return &ConfigError{"onDemand", "is supported for viewers only"}
	case c.Edge && c.Role != RoleSeeder:
		return &ConfigError{"edge", "is supported for seeders only"}
	}
	for _, g := range c.Generations {
		if _, err := identity.ParseGenerations([]string{string(g)}); err != nil {
			return &ConfigError{"generations", err.Error()}
		}
	}
	for _, number := range []struct {
		field string
		value int64
	}{
		{"storeBytes", c.StoreBytes}, {"maxSegmentBytes", c.MaxSegmentBytes}, {"maxPeers", int64(c.MaxPeers)},
		{"maxMessageSize", int64(c.MaxMessageSize)}, {"patience", int64(c.Patience)}, {"waitLimit", int64(c.WaitLimit)},
		{"liveDelay", int64(c.LiveDelay)}, {"liveDelaySegments", int64(c.LiveDelaySegments)},
		{"startupWait", int64(c.StartupWait)}, {"prefetchDelay", int64(c.PrefetchDelay)},
	} {
		if number.value < 0 {
			return &ConfigError{number.field, fmt.Sprintf("%d is negative", number.value)}
		}
	}
	return nil
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	c.StoreBytes = cmp.Or(c.StoreBytes, DefaultStoreBytes)
	c.MaxSegmentBytes = cmp.Or(c.MaxSegmentBytes, DefaultMaxSegmentBytes)
	c.MaxPeers = cmp.Or(c.MaxPeers, DefaultMaxPeers)
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, wire.DefaultMaxMessageSize)
	c.SuperSeeding = cmp.Or(c.SuperSeeding, superseed.Auto)
	c.Patience = cmp.Or(c.Patience, DefaultPatience)
	c.WaitLimit = cmp.Or(c.WaitLimit, DefaultWaitLimit)
	if c.Limits == (schedule.Limits{}) {
		c.Limits = DefaultLimits
		if c.OnDemand {
			c.Limits = demandLimits
		}
	}
	if len(c.Generations) == 0 {
		c.Generations = []identity.Generation{identity.V23}
		if c.Role == RoleSeeder {
			c.Generations = identity.DefaultGenerations()
		}
	}
	if c.Select == nil {
		c.Select = selectFor(c.Role)
		if c.OnDemand {
			c.Select = selectFor(RoleSeeder) // all of them: players choose
		}
	}
	return c
}

func selectFor(role Role) func([]manifest.Rendition) []manifest.Rendition {
	if role == RoleSeeder {
		return func(all []manifest.Rendition) []manifest.Rendition { return all }
	}
	return func(all []manifest.Rendition) []manifest.Rendition {
		var out []manifest.Rendition
		seen := map[identity.StreamType]bool{}
		for _, r := range all {
			if r.URI != "" && !seen[r.Type] {
				seen[r.Type] = true
				out = append(out, r)
			}
		}
		return out
	}
}

// settings are what renditions need to know of the configuration.
func (c Config) settings() rendition.Settings {
	return rendition.Settings{
		Seeder: c.Role == RoleSeeder, Edge: c.Edge, PeerIDPrefix: c.PeerIDPrefix, OnDemand: c.OnDemand, Generations: c.Generations, Trackers: c.Trackers, OriginOnly: c.OriginOnly,
		MaxPeers: c.MaxPeers, MaxMessageSize: c.MaxMessageSize, MaxSegmentBytes: c.MaxSegmentBytes,
		UploadDisabled: c.UploadDisabled, SuperSeeding: c.SuperSeeding, Verify: c.Verify, Patience: c.Patience, WaitLimit: c.WaitLimit,
		LiveDelay: c.LiveDelay, LiveDelaySegments: c.LiveDelaySegments,
		StartupWait: c.StartupWait, PrefetchDelay: c.PrefetchDelay, Limits: c.Limits, SeedersHold: c.SeedersHold,
	}
}

package viewer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/internal/check"
	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Defaults of Config.
const (
	DefaultJoinInterval = 200 * time.Millisecond
	DefaultStore        = 64 << 20
	maxCount            = 5000
)

// Config is what viewers run with; flags and the JSON file fill the same struct.
type Config struct {
	ConfigURL string   `json:"configURL,omitempty"` // /v1/config of a tracker: all the rest comes from there
	Source    string   `json:"source,omitempty"`    // or: the manifest URL …
	Trackers  []string `json:"trackers,omitempty"`  // … with trackers …
	STUN      []string `json:"stun,omitempty"`      // … and STUN servers
	SwarmID   string   `json:"swarmID,omitempty"`

	Count        int               `json:"count,omitempty"`       // viewers
	JoinInterval duration.Duration `json:"joinInterval,omitzero"` // between one viewer's start and the next one's
	Duration     duration.Duration `json:"duration,omitzero"`     // 0: until stopped
	Verify       bool              `json:"verify,omitempty"`      // compare each segment's SHA-256 with the origin's
	Renditions   []string          `json:"renditions,omitempty"`  // names; "all": every one; empty: the first, and the first audio track
	Generations  []string          `json:"generations,omitempty"` // v2.2, v2.3; empty: v2.3
	NoP2P        bool              `json:"noP2P,omitempty"`       // origin only, to compare with
	NoUpload     bool              `json:"noUpload,omitempty"`    // take from peers, give nothing
	StoreBytes   int64             `json:"storeBytes,omitempty"`  // per viewer
	MaxPeers     int               `json:"maxPeers,omitempty"`    // per viewer
	Loopback     bool              `json:"loopback,omitempty"`    // also use 127.0.0.1, for everything on one machine
	// OneSocketPerSwarm suits trackers that close a socket for one bad message.
	OneSocketPerSwarm bool `json:"oneSocketPerSwarm,omitempty"`
}

// AllRenditions selects every rendition.
const AllRenditions = "all"

// Validate names the first field that cannot be used.
func (c Config) Validate() error {
	switch {
	case c.ConfigURL == "" && c.Source == "":
		return errors.New("config.configURL, config.source: both are missing; give one, as in --config-url http://tracker.example.com:8000/v1/config")
	case c.ConfigURL != "" && (c.Source != "" || len(c.Trackers) > 0):
		return errors.New("config.configURL: comes with source and trackers of its own; leave config.source and config.trackers out")
	}
	for _, g := range c.Generations {
		if !slices.Contains(identity.Generations(), identity.Generation(g)) {
			return fmt.Errorf("config.generations: %q is unknown; use one of %v", g, identity.Generations())
		}
	}
	return check.First(
		check.Optional("config.configURL", c.ConfigURL, check.HTTP),
		check.Optional("config.source", c.Source, check.HTTP),
		check.Each("config.trackers", c.Trackers, check.WebSocket),
		check.Each("config.stun", c.STUN, check.STUN),
		check.Between("config.count", c.Count, 0, maxCount),
		check.NotNegative("config.joinInterval", c.JoinInterval.Std()),
		check.NotNegative("config.duration", c.Duration.Std()),
		check.NotNegative("config.storeBytes", c.StoreBytes),
		check.NotNegative("config.maxPeers", c.MaxPeers),
	)
}

func (c Config) withDefaults() Config {
	if c.Count == 0 {
		c.Count = 1
	}
	if c.JoinInterval == 0 {
		c.JoinInterval = duration.Duration(DefaultJoinInterval)
	}
	if c.StoreBytes == 0 {
		c.StoreBytes = DefaultStore
	}
	return c
}

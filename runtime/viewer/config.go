package viewer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

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
	for field, text := range map[string]string{"configURL": c.ConfigURL, "source": c.Source} {
		if text == "" {
			continue
		}
		if u, err := url.Parse(text); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("config.%s: %q is not an http or https URL", field, text)
		}
	}
	for _, t := range c.Trackers {
		if u, err := url.Parse(t); err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
			return fmt.Errorf("config.trackers: %q is not a ws or wss URL", t)
		}
	}
	for _, g := range c.Generations {
		if !slices.Contains(identity.Generations(), identity.Generation(g)) {
			return fmt.Errorf("config.generations: %q is unknown; use one of %v", g, identity.Generations())
		}
	}
	switch {
	case c.Count < 0 || c.Count > maxCount:
		return fmt.Errorf("config.count: %d is not between 1 and %d", c.Count, maxCount)
	case c.JoinInterval < 0:
		return fmt.Errorf("config.joinInterval: %s is negative", c.JoinInterval)
	case c.Duration < 0:
		return fmt.Errorf("config.duration: %s is negative", c.Duration)
	case c.StoreBytes < 0:
		return fmt.Errorf("config.storeBytes: %d is negative", c.StoreBytes)
	case c.MaxPeers < 0:
		return fmt.Errorf("config.maxPeers: %d is negative", c.MaxPeers)
	}
	return nil
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

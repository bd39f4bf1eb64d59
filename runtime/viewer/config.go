package viewer

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

// Defaults of Config.
const (
	DefaultJoinInterval = 200 * time.Millisecond
	DefaultStore        = 64 << 20
	maxCount            = 5000
)

// Duration is a string like "10s" in JSON. Programs of other modules need the name to set a field.
type Duration = duration.Duration

// Config is what viewers run with; flags and the JSON file fill the same struct.
type Config struct {
	ConfigURL string   `json:"configURL,omitempty"` // /v1/config of a tracker: it names everything else
	TokenFile string   `json:"tokenFile,omitempty"` // what the tracker wants to see: a viewer token
	Origin    string   `json:"origin,omitempty"`    // sent as a browser does for its page
	Source    string   `json:"source,omitempty"`    // or: the manifest URL …
	Format    string   `json:"format,omitempty"`    // … of the format HLS, DASH or Auto (the default) …
	Trackers  []string `json:"trackers,omitempty"`  // … with trackers …
	STUN      []string `json:"stun,omitempty"`      // … and STUN servers
	SwarmID   string   `json:"swarmID,omitempty"`
	// SignedPaths are starts of URL paths in which an asterisk stands for what a signature changes, such as /token/*/. A
	// tracker's ConfigURL names them, too.
	SignedPaths []string `json:"signedPaths,omitempty"`

	Count        int               `json:"count,omitempty"`       // viewers
	JoinInterval duration.Duration `json:"joinInterval,omitzero"` // between one viewer's start and the next one's
	Duration     duration.Duration `json:"duration,omitzero"`     // 0: until stopped
	Verify       bool              `json:"verify,omitempty"`      // compare each segment's SHA-256 with the origin's
	Renditions   []string          `json:"renditions,omitempty"`  // names; "all": every one; empty: the first, and the first audio track
	Generations  []string          `json:"generations,omitempty"` // v2.2, v2.3, v3; empty: v2.3, or v2.2 if it is DASH
	NoP2P        bool              `json:"noP2P,omitempty"`       // origin only, to compare with
	NoUpload     bool              `json:"noUpload,omitempty"`    // download from peers, upload nothing
	StoreBytes   int64             `json:"storeBytes,omitempty"`  // per viewer
	MaxPeers     int               `json:"maxPeers,omitempty"`    // per viewer
	Loopback     bool              `json:"loopback,omitempty"`    // also use 127.0.0.1, for everything on one machine
	StartupWait  duration.Duration `json:"startupWait,omitzero"`  // for the first peer when seeders hold the stream, instead of the origin; 0: client.DefaultStartupWait
	// OneSocketPerSwarm suits trackers that close a socket for one bad message.
	OneSocketPerSwarm bool `json:"oneSocketPerSwarm,omitempty"`
}

// AllRenditions selects every rendition.
const AllRenditions = "all"

// Client is the part of the configuration that names the stream and says how to
// take part in it.
func (c Config) Client() client.Config {
	return client.Config{
		ConfigURL: c.ConfigURL, TokenFile: c.TokenFile, Origin: c.Origin, Source: c.Source, Format: c.Format, Trackers: c.Trackers, STUN: c.STUN, SwarmID: c.SwarmID,
		SignedPaths: c.SignedPaths,
		Verify:      c.Verify, Generations: c.Generations, NoP2P: c.NoP2P, NoUpload: c.NoUpload, StoreBytes: c.StoreBytes,
		MaxPeers: c.MaxPeers, Loopback: c.Loopback, OneSocketPerSwarm: c.OneSocketPerSwarm, StartupWait: c.StartupWait,
	}
}

// Validate returns an error that names the first invalid field.
func (c Config) Validate() error {
	return validate.First(
		c.Client().Validate(),
		validate.Between("config.count", c.Count, 0, maxCount),
		validate.NotNegative("config.joinInterval", c.JoinInterval.Std()),
		validate.NotNegative("config.duration", c.Duration.Std()),
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

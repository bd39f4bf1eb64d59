package client

import (
	"errors"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/validate"
)

// Duration is a string like "350ms" in JSON. Programs of other modules need the name to set a field.
type Duration = duration.Duration

// Config names a stream and says how to take part in it.
type Config struct {
	ConfigURL string `json:"configURL,omitempty"` // /v1/config of a tracker: it names everything else
	// TokenFile holds what the tracker wants to see before it gives settings: a viewer token. It is read for each request.
	TokenFile string `json:"tokenFile,omitempty"`
	// Origin is sent with requests for settings, as a browser does for its page: https://host. Trackers for listed origins
	// refuse others. Empty: that of ConfigURL, as the tracker's own page would send.
	Origin   string   `json:"origin,omitempty"`
	Source   string   `json:"source,omitempty"`   // or: the manifest URL …
	Format   string   `json:"format,omitempty"`   // … of the format HLS, DASH or Auto (the default) …
	Trackers []string `json:"trackers,omitempty"` // … with trackers …
	STUN     []string `json:"stun,omitempty"`     // … and STUN servers
	SwarmID  string   `json:"swarmID,omitempty"`
	// SignedPaths are starts of URL paths in which an asterisk stands for what a signature changes, such as /token/*/. A
	// tracker's ConfigURL names them, too.
	SignedPaths []string `json:"signedPaths,omitempty"`

	Verify      bool     `json:"verify,omitempty"`      // compare each segment's SHA-256 with the origin's
	Generations []string `json:"generations,omitempty"` // v2.2, v2.3, v3; empty: v2.3, or v2.2 if it is DASH
	NoP2P       bool     `json:"noP2P,omitempty"`       // origin only, to compare with
	NoUpload    bool     `json:"noUpload,omitempty"`    // download from peers, upload nothing
	StoreBytes  int64    `json:"storeBytes,omitempty"`
	MaxPeers    int      `json:"maxPeers,omitempty"`
	Loopback    bool     `json:"loopback,omitempty"` // also use 127.0.0.1, for everything on one machine
	// StartupWait is how long the client waits for a peer before it asks the origin for the first segment, when seeders
	// hold the stream; 0: DefaultStartupWait.
	StartupWait duration.Duration `json:"startupWait,omitzero"`
	// OneSocketPerSwarm suits trackers that close a socket for one bad message.
	OneSocketPerSwarm bool `json:"oneSocketPerSwarm,omitempty"`
}

// Validate returns an error that names the first invalid field.
func (c Config) Validate() error {
	switch {
	case c.ConfigURL == "" && c.Source == "":
		return errors.New("config.configURL, config.source: both are missing; set one, as in --config-url http://tracker.example.com:8000/v1/config")
	case c.ConfigURL != "" && (c.Source != "" || len(c.Trackers) > 0):
		return errors.New("config.configURL: already names the source and the trackers; remove config.source and config.trackers")
	}
	if c.ConfigURL == "" && (c.TokenFile != "" || c.Origin != "") {
		return errors.New("config.tokenFile, config.origin: are for requests to config.configURL, which is missing")
	}
	return validate.First(
		validate.Generations("config.generations", c.Generations),
		validate.Optional("config.configURL", c.ConfigURL, validate.HTTP),
		validate.Optional("config.origin", c.Origin, validate.Origin),
		validate.Optional("config.source", c.Source, validate.HTTP),
		validate.Format("config.format", c.Format),
		validate.Each("config.trackers", c.Trackers, validate.WebSocket),
		validate.Each("config.stun", c.STUN, validate.STUN),
		validate.SignedPaths("config.signedPaths", c.SignedPaths),
		validate.NotNegative("config.storeBytes", c.StoreBytes),
		validate.NotNegative("config.maxPeers", c.MaxPeers),
		validate.NotNegative("config.startupWait", c.StartupWait.Std()),
	)
}

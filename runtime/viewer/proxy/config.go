package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

// Defaults of Options.
const (
	DefaultListen      = "127.0.0.1:8080"
	DefaultStore       = 256 << 20
	DefaultMaxPlayers  = 32
	DefaultMaxRequests = 128
	DefaultPlayerIdle  = 30 * time.Second
)

// Bounds that need no choice.
const (
	maxConnections    = 512
	maxPlayerRequests = 24 // of one player at a time
	maxHeaderBytes    = 16 << 10
	maxResourceBytes  = 32 << 20 // of one resource that is not a segment
	cacheBytes        = 16 << 20 // of resources that are not segments
	maxPlaylists      = 32       // held at a time
	maxFetches        = 32       // fetches of resources that are not segments, at a time
	maxRanges         = 8        // of one request; with more the whole file is sent
)

// Duration is a string like "30s" in JSON. Programs of other modules need the name to set a field.
type Duration = duration.Duration

// Config is what a proxy runs with.
type Config struct {
	client.Config
	Options
}

// Options say what a proxy serves and to whom.
type Options struct {
	// Listen is the host:port that players open.
	Listen string `json:"listen,omitempty"`
	// AdminListen is the host:port of /metrics, /healthz and /readyz; empty: none.
	AdminListen string `json:"adminListen,omitempty"`
	// AllowedHosts are names by which players reach the proxy, beside those of loopback and the address listened on: a
	// Host header with any other name is refused: it may come from a hostile page whose name resolves to the proxy.
	AllowedHosts []string `json:"allowedHosts,omitempty"`
	// MaxPlayers and MaxRequests bound what is served at a time.
	MaxPlayers  int `json:"maxPlayers,omitempty"`
	MaxRequests int `json:"maxRequests,omitempty"`
	// PlayerIdle is how long after its last request a player counts as gone.
	PlayerIdle duration.Duration `json:"playerIdle,omitzero"`
}

// Validate returns an error that names the first invalid field.
func (c Config) Validate() error {
	return validate.First(c.Config.Validate(), c.Options.Validate())
}

// Validate returns an error that names the first invalid field.
func (o Options) Validate() error {
	return validate.First(
		validate.Optional("config.listen", o.Listen, validate.HostPort(DefaultListen)),
		validate.Optional("config.adminListen", o.AdminListen, validate.HostPort(":9092")),
		validate.Each("config.allowedHosts", o.AllowedHosts, checkHost),
		validate.NotNegative("config.maxPlayers", o.MaxPlayers),
		validate.NotNegative("config.maxRequests", o.MaxRequests),
		validate.NotNegative("config.playerIdle", o.PlayerIdle.Std()),
	)
}

// errHost is what is wrong with an entry of allowedHosts.
var errHost = errors.New("is not a host name; use media.example.com or 192.0.2.10, without a port")

func checkHost(field, value string) error {
	if _, err := netip.ParseAddr(strings.Trim(value, "[]")); err == nil {
		return nil
	}
	if value == "" || strings.ContainsAny(value, "/:@*? \t[]") {
		return fmt.Errorf("%s: %q %w", field, value, errHost)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.StoreBytes == 0 {
		c.StoreBytes = DefaultStore
	}
	if c.MaxPlayers == 0 {
		c.MaxPlayers = DefaultMaxPlayers
	}
	if c.MaxRequests == 0 {
		c.MaxRequests = DefaultMaxRequests
	}
	if c.PlayerIdle == 0 {
		c.PlayerIdle = duration.Duration(DefaultPlayerIdle)
	}
	return c
}

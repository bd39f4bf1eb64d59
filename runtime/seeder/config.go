package seeder

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
)

// Defaults of Config.
const (
	DefaultMaxPeers = 200
	DefaultCache    = 512 << 20
	DefaultInterval = 5 * time.Second
	DefaultDrain    = 10 * time.Second
)

// Config is what a seeder runs with; flags and the JSON file fill the same struct.
type Config struct {
	Source      string   `json:"source"`                // manifest URL, http or https
	SwarmID     string   `json:"swarmID,omitempty"`     // empty: what an unconfigured player derives from the manifest's response URL
	Trackers    []string `json:"trackers"`              // ws:// or wss:// URLs
	STUN        []string `json:"stun,omitempty"`        // stun:host:port
	ICEListen   string   `json:"iceListen,omitempty"`   // UDP host:port for all connections; empty: any free port
	Advertise   []string `json:"advertise,omitempty"`   // IPs in candidates instead of the interfaces' own
	TokenFile   string   `json:"tokenFile,omitempty"`   // the stream's seeder token
	MaxPeers    int      `json:"maxPeers,omitempty"`    // connections at most
	UplinkBps   int64    `json:"uplinkBps,omitempty"`   // bits per second; 0: no limit
	CacheBytes  int64    `json:"cacheBytes,omitempty"`  // bytes of segments held
	Renditions  []string `json:"renditions,omitempty"`  // names to hold; empty: all
	AdminListen string   `json:"adminListen,omitempty"` // host:port of /metrics /healthz /readyz; empty: none

	ReportInterval duration.Duration `json:"reportInterval,omitzero"` // between reports to the tracker
	Drain          duration.Duration `json:"drain,omitzero"`          // how long to go on serving after SIGTERM, at most

	// Loopback also offers 127.0.0.1, for everything on one machine.
	Loopback bool `json:"loopback,omitempty"`
	// OneSocketPerSwarm suits trackers that close a socket for one bad message.
	OneSocketPerSwarm bool `json:"oneSocketPerSwarm,omitempty"`
	// Token is the token itself, for programs that run a seeder in their own process.
	Token string `json:"-"`
}

// Validate names the first field that cannot be used.
func (c Config) Validate() error {
	if c.Source == "" {
		return errors.New("config.source: is missing; give the manifest URL, as in --source https://origin.example.com/live/master.m3u8")
	}
	if u, err := url.Parse(c.Source); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("config.source: %q is not an http or https URL", c.Source)
	}
	if len(c.Trackers) == 0 {
		return errors.New("config.trackers: is empty; give at least one, as in --tracker ws://tracker.example.com:8000/announce")
	}
	for _, t := range c.Trackers {
		if u, err := url.Parse(t); err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
			return fmt.Errorf("config.trackers: %q is not a ws or wss URL", t)
		}
	}
	for _, s := range c.STUN {
		if !strings.HasPrefix(s, "stun:") {
			return fmt.Errorf("config.stun: %q does not begin with stun:; use stun:host:3478", s)
		}
	}
	if c.ICEListen != "" {
		if _, _, err := net.SplitHostPort(c.ICEListen); err != nil {
			return fmt.Errorf("config.iceListen: %q is not host:port; use :3479", c.ICEListen)
		}
	}
	for _, a := range c.Advertise {
		if net.ParseIP(a) == nil {
			return fmt.Errorf("config.advertise: %q is not an IP address", a)
		}
	}
	if c.AdminListen != "" {
		if _, _, err := net.SplitHostPort(c.AdminListen); err != nil {
			return fmt.Errorf("config.adminListen: %q is not host:port; use :9091", c.AdminListen)
		}
	}
	switch {
	case c.MaxPeers < 0:
		return fmt.Errorf("config.maxPeers: %d is negative", c.MaxPeers)
	case c.UplinkBps < 0:
		return fmt.Errorf("config.uplinkBps: %d is negative", c.UplinkBps)
	case c.CacheBytes < 0:
		return fmt.Errorf("config.cacheBytes: %d is negative", c.CacheBytes)
	case c.ReportInterval < 0:
		return fmt.Errorf("config.reportInterval: %s is negative", c.ReportInterval)
	case c.Drain < 0:
		return fmt.Errorf("config.drain: %s is negative", c.Drain)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.ICEListen == "" {
		c.ICEListen = ":0"
	}
	if c.MaxPeers == 0 {
		c.MaxPeers = DefaultMaxPeers
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = DefaultCache
	}
	if c.ReportInterval == 0 {
		c.ReportInterval = duration.Duration(DefaultInterval)
	}
	if c.Drain == 0 {
		c.Drain = duration.Duration(DefaultDrain)
	}
	return c
}

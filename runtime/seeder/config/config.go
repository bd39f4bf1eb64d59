// Package config holds the seeder's configuration and nothing else, so that
// its producers (flags, a JSON file, the operator) need no part of the seeder
// itself.
package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/validate"
)

// Defaults of Config.
const (
	DefaultMaxPeers = 200
	DefaultCache    = 512 << 20
	DefaultInterval = 5 * time.Second
	DefaultDrain    = 10 * time.Second

	// MaxOrdinal bounds the list of ports.
	MaxOrdinal = 9999

	// MaxSite bounds the name of a site, in bytes.
	MaxSite = 64
)

// A seeder needs memory besides its cache: one eighth of the cache for segments that are being fetched or sent, a
// mebibyte for each peer, and a base for the program itself.
const (
	peerMemory = 1 << 20
	baseMemory = 96 << 20
)

// Duration is a string like "5s" in JSON. Programs of other modules need the name to set a field.
type Duration = duration.Duration

// SuperSeeding says from which viewers segments are held back.
type SuperSeeding string

// The values of Config.SuperSeeding.
const (
	SuperSeedingAuto   SuperSeeding = "Auto"
	SuperSeedingOff    SuperSeeding = "Off"
	SuperSeedingAlways SuperSeeding = "Always"
)

// Config is what a seeder runs with; flags and the JSON file fill the same struct.
type Config struct {
	Source   string   `json:"source,omitempty"`   // manifest URL, http or https
	Format   string   `json:"format,omitempty"`   // of the manifest: HLS, DASH, or Auto (the default), which finds it in the manifest itself
	SwarmID  string   `json:"swarmID,omitempty"`  // empty: what an unconfigured player derives from the manifest's response URL
	Trackers []string `json:"trackers,omitempty"` // ws:// or wss:// URLs
	// ForeignTrackers are third-party trackers, ws:// or wss://: the seeder announces to them as to Trackers, but sends them
	// neither the token nor its load.
	ForeignTrackers []string `json:"foreignTrackers,omitempty"`
	STUN            []string `json:"stun,omitempty"`        // stun:host:port
	ICEListen       string   `json:"iceListen,omitempty"`   // UDP host:port for all connections; empty: any free port
	Advertise       []string `json:"advertise,omitempty"`   // IPs in candidates instead of the interfaces' own
	TokenFile       string   `json:"tokenFile,omitempty"`   // the stream's seeder token
	MaxPeers        int      `json:"maxPeers,omitempty"`    // connections at most
	UplinkBps       int64    `json:"uplinkBps,omitempty"`   // bits per second; 0: no limit
	CacheBytes      int64    `json:"cacheBytes,omitempty"`  // bytes of segments held
	Renditions      []string `json:"renditions,omitempty"`  // names to hold; empty: all
	Generations     []string `json:"generations,omitempty"` // of the browser library, to serve: v2.2, v2.3, v3; empty: v2.2 and v2.3
	AdminListen     string   `json:"adminListen,omitempty"` // host:port of /metrics /healthz /readyz; empty: none

	ReportInterval duration.Duration `json:"reportInterval,omitzero"` // between reports to the tracker
	Drain          duration.Duration `json:"drain,omitzero"`          // how long to go on serving after SIGTERM, at most

	// ICEPortsFile is a JSON list of UDP ports, and Ordinal this seeder's place in it: the port takes the place of that
	// in ICEListen. A seeder that is not in the list yet waits for its port.
	ICEPortsFile string `json:"icePortsFile,omitempty"`
	Ordinal      int    `json:"ordinal,omitempty"`

	// AdvertiseFile is a JSON object with lists of IP addresses and host names, and AdvertiseName this seeder's name in it: they
	// take the place of Advertise. Names are looked up. A seeder that is not in the file, and has no Advertise, waits for it;
	// one whose addresses change drains and ends.
	AdvertiseFile string `json:"advertiseFile,omitempty"`
	AdvertiseName string `json:"advertiseName,omitempty"`

	// HeadersDir holds one file for each header that the origin is asked with: the file's name is the header's, its
	// content the value. They are sent to the scheme, host and port of Source only. CAFile is a PEM file with the
	// certificate authorities of the origin, instead of the system's. Both are read again when they change.
	HeadersDir string `json:"headersDir,omitempty"`
	CAFile     string `json:"caFile,omitempty"`
	// SignedPaths are starts of URL paths in which an asterisk stands for one element that a signature changes, such as
	// /token/*/: segments whose URLs differ there only are the same. A query is known for a signature without this.
	SignedPaths []string `json:"signedPaths,omitempty"`

	// SuperSeeding says from which viewers a live segment is held back while another one brings it: Auto (the default) from
	// those whose site the tracker tells, Always from all, as one group, Off from none.
	SuperSeeding SuperSeeding `json:"superSeeding,omitempty"`

	// Site makes an edge seeder, with the name of a site in the tracker's map: it serves the viewers of that site, others only
	// if the map says crossSite, and gets segments from other seeders before it asks the origin. Empty: it serves all.
	Site string `json:"site,omitempty"`

	// JoinFile is a file of an edge seeder outside of the cluster, which `p2pstream join create` wrote: source, swarm, trackers,
	// STUN servers, site and credential, for those of these fields that are empty. The credential is read again when the file
	// changes.
	JoinFile string `json:"joinFile,omitempty"`

	// Loopback also offers 127.0.0.1, for everything on one machine.
	Loopback bool `json:"loopback,omitempty"`
	// PeerIDPrefix are the first characters of the seeder's peer ids, at most 12. Empty means "-PS0001-". A foreign tracker
	// that is a p2pstream tracker reserves those for its own seeders.
	PeerIDPrefix string `json:"peerIDPrefix,omitempty"`
	// OneSocketPerSwarm suits trackers that close a socket for one bad message.
	OneSocketPerSwarm bool `json:"oneSocketPerSwarm,omitempty"`
	// Token is the token itself, for programs that run a seeder in their own process.
	Token string `json:"-"`
}

// maxPrefix leaves enough of the 20 characters of a peer id to make it unique.
const maxPrefix = 12

// Validate returns an error that names the first invalid field. It opens no file.
func (c Config) Validate() error {
	if c.JoinFile != "" && (c.TokenFile != "" || c.Token != "") {
		return errors.New("config.joinFile, config.tokenFile: set one of them")
	}
	if c.Source == "" && c.JoinFile == "" {
		return errors.New("config.source: is missing; set the manifest URL, as in --source https://origin.example.com/live/master.m3u8")
	}
	if len(c.Trackers)+len(c.ForeignTrackers) == 0 && c.JoinFile == "" {
		return errors.New("config.trackers: is empty; set at least one, as in --tracker ws://tracker.example.com:8000/announce")
	}
	if len(c.PeerIDPrefix) > maxPrefix || strings.ContainsFunc(c.PeerIDPrefix, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("config.peerIDPrefix: %q is not at most %d printable characters", c.PeerIDPrefix, maxPrefix)
	}
	switch c.SuperSeeding {
	case "", SuperSeedingAuto, SuperSeedingOff, SuperSeedingAlways:
	default:
		return fmt.Errorf("config.superSeeding: %q is not Auto, Off or Always", c.SuperSeeding)
	}
	if len(c.Site) > MaxSite || !utf8.ValidString(c.Site) || strings.TrimSpace(c.Site) != c.Site || strings.ContainsFunc(c.Site, unicode.IsControl) {
		return fmt.Errorf("config.site: %q is not the name of a site, which has at most %d bytes and no space at its ends", c.Site, MaxSite)
	}
	if c.AdvertiseName != "" && c.AdvertiseFile == "" {
		return errors.New("config.advertiseName: needs config.advertiseFile")
	}
	return validate.First(
		validate.Optional("config.source", c.Source, validate.HTTP),
		validate.Format("config.format", c.Format),
		validate.Generations("config.generations", c.Generations),
		validate.Each("config.trackers", c.Trackers, validate.WebSocket),
		validate.Each("config.foreignTrackers", c.ForeignTrackers, validate.WebSocket),
		validate.Each("config.stun", c.STUN, validate.STUN),
		validate.SignedPaths("config.signedPaths", c.SignedPaths),
		validate.Optional("config.iceListen", c.ICEListen, validate.HostPort(":3479")),
		validate.Each("config.advertise", c.Advertise, validate.IP),
		validate.Optional("config.adminListen", c.AdminListen, validate.HostPort(":9091")),
		validate.Between("config.ordinal", c.Ordinal, 0, MaxOrdinal),
		validate.NotNegative("config.maxPeers", c.MaxPeers),
		validate.NotNegative("config.uplinkBps", c.UplinkBps),
		validate.NotNegative("config.cacheBytes", c.CacheBytes),
		validate.NotNegative("config.reportInterval", c.ReportInterval.Std()),
		validate.NotNegative("config.drain", c.Drain.Std()),
	)
}

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	if c.SuperSeeding == "" {
		c.SuperSeeding = SuperSeedingAuto
	}
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

// Memory is how many bytes a seeder needs with a full cache and as many peers as it accepts.
func (c Config) Memory() int64 {
	c = c.WithDefaults()
	return c.CacheBytes + c.CacheBytes/8 + int64(c.MaxPeers)*peerMemory + baseMemory
}

package mesh

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Defaults of NodeConfig and SwarmConfig.
const (
	DefaultMaxMessageSize = 65535
	DefaultQueueBytes     = 256 << 10
	DefaultHandshakeLimit = 32
	DefaultMaxOffers      = 64
	DefaultWriteStall     = 15 * time.Second
	DefaultMaxPeers       = 64
	DefaultOffers         = 5
)

// maxQueueBytes keeps one peer that reads nothing from holding more than this much memory.
const maxQueueBytes = 64 << 20

// NodeConfig says how a node reaches other peers. The zero value is a viewer without STUN.
type NodeConfig struct {
	// ICEServers are STUN servers as "stun:host:port". A seeder with a known address needs none.
	ICEServers []string `json:"iceServers,omitempty"`
	// Listen is the UDP host:port that all connections of a seeder share; an empty host means every
	// interface. Empty means one ephemeral port per connection, which is what a viewer must use: two
	// muxes that share several connections confuse each other's packets. See SwarmConfig.Seek.
	Listen string `json:"listen,omitempty"`
	// Advertise are IP addresses that replace the host candidates. The port stays the local one.
	Advertise []string `json:"advertise,omitempty"`
	// MaxMessageSize is the largest data-channel message sent, in bytes; 65535 when zero.
	MaxMessageSize int `json:"maxMessageSize,omitempty"`
	// QueueBytes bounds the bytes that wait in a peer's send queue; 256 KiB when zero.
	QueueBytes int `json:"queueBytes,omitempty"`
	// Token returns what goes as "Authorization: Bearer" with the WebSocket upgrade to the tracker with this URL, as in
	// SwarmConfig.Trackers; nil or empty: nothing. It must not block.
	Token func(tracker string) string `json:"-"`
	// OneSocketPerSwarm opens a socket of its own for each (tracker, swarm), which is what is safe with
	// trackers that close the whole socket for one swarm's mistake.
	OneSocketPerSwarm bool `json:"oneSocketPerSwarm,omitempty"`
	// Loopback also gathers 127.0.0.1, for tests and the demo.
	Loopback bool `json:"loopback,omitempty"`
	// HandshakeLimit bounds the connections that are being set up at one time; 32 when zero. Eight times
	// as many offers wait their turn, the newest first; the oldest of more are dropped.
	HandshakeLimit int `json:"handshakeLimit,omitempty"`
	// MaxOffers bounds the unanswered offers of the node over all swarms and trackers; 64 when zero. Each
	// is a gathered connection.
	MaxOffers int `json:"maxOffers,omitempty"`
	// MaxPeers bounds the connections of the node over all swarms; no bound of its own when zero.
	MaxPeers int `json:"maxPeers,omitempty"`
	// WriteStall is how long a peer may take none of the bytes that wait for it before it is cut off; 15 s
	// when zero.
	WriteStall time.Duration `json:"writeStall,omitempty"`
	// TLS is used for wss:// trackers; nil means the system's roots.
	TLS *tls.Config `json:"-"`
}

// Validate names the first unusable field.
func (c NodeConfig) Validate() error {
	return validate.First(
		validate.Each("config.iceServers", c.ICEServers, validate.STUN),
		validate.Optional("config.listen", c.Listen, validate.HostPort(":7000")),
		validate.Each("config.advertise", c.Advertise, validate.IP),
		validate.Between("config.maxMessageSize", c.MaxMessageSize, 0, sctpMaxMessageSize),
		validate.Between("config.queueBytes", c.QueueBytes, 0, maxQueueBytes),
		validate.NotNegative("config.handshakeLimit", c.HandshakeLimit),
		validate.NotNegative("config.maxOffers", c.MaxOffers),
		validate.NotNegative("config.maxPeers", c.MaxPeers),
		validate.NotNegative("config.writeStall", c.WriteStall),
	)
}

func (c NodeConfig) withDefaults() NodeConfig {
	setDefault(&c.MaxMessageSize, DefaultMaxMessageSize)
	setDefault(&c.QueueBytes, DefaultQueueBytes)
	setDefault(&c.HandshakeLimit, DefaultHandshakeLimit)
	setDefault(&c.MaxOffers, DefaultMaxOffers)
	setDefault(&c.WriteStall, DefaultWriteStall)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// SwarmConfig names one swarm and the handler of its peers.
type SwarmConfig struct {
	// InfoHash names the swarm: exactly 20 characters.
	InfoHash identity.InfoHash
	// PeerID is this node's name in the swarm: exactly 20 characters. Names differ between swarms.
	PeerID identity.PeerID
	// Trackers are ws:// or wss:// URLs; all are used at once. Duplicates are merged.
	Trackers []string
	// MaxPeers bounds the open connections together with those being set up; 64 when zero. Those that wait for their
	// turn are not among them.
	MaxPeers int
	// DialBelow is with how many connections, open or being set up, no offers are made any more, although those of other
	// peers are answered up to MaxPeers; 0: MaxPeers.
	DialBelow int
	// Offers is how many offers go with each announce: 5 when zero, none when negative. Seeders ask for
	// none or few, since answering makes a connection only when a peer wants one.
	Offers int
	// Seek is with how many seeders a seeder wants to be connected. It makes offers for them from ports of their own, only to
	// our trackers, and no more than these say there are. 0: none.
	Seek int
	// Counted is called with what a tracker says of the swarm's size, with each reply. It must not block. nil: nothing is.
	Counted func(Census)
	// Handler is called for the peers; required.
	Handler Handler
}

// Census is the size of a swarm without this node, as the tracker says that knows most of it.
type Census struct {
	// Peers are all other members.
	Peers int
	// Seeders are the other members that hold everything. Only our trackers know them.
	Seeders int
}

// Validate names the first unusable field.
func (c SwarmConfig) Validate() error {
	switch {
	case len(c.InfoHash) != 20:
		return fmt.Errorf("swarm.infoHash: %q is not 20 characters", string(c.InfoHash))
	case len(c.PeerID) != 20:
		return fmt.Errorf("swarm.peerID: %q is not 20 characters", string(c.PeerID))
	case c.Handler == nil:
		return errors.New("swarm.handler: is missing")
	case len(c.Trackers) == 0:
		return errors.New("swarm.trackers: is empty; use [\"ws://host:8000/announce\"]")
	case c.Offers > 10:
		return fmt.Errorf("swarm.offers: %d is more than 10, which some trackers refuse", c.Offers)
	}
	return validate.First(
		validate.NotNegative("swarm.maxPeers", c.MaxPeers),
		validate.NotNegative("swarm.dialBelow", c.DialBelow),
		validate.Between("swarm.seek", c.Seek, 0, maxSeek),
		validate.Each("swarm.trackers", c.Trackers, validate.WebSocket),
	)
}

func (c SwarmConfig) withDefaults() SwarmConfig {
	setDefault(&c.MaxPeers, DefaultMaxPeers)
	setDefault(&c.Offers, DefaultOffers)
	if c.Offers < 0 {
		c.Offers = 0
	}
	trackers := make([]string, 0, len(c.Trackers))
	seen := make(map[string]bool, len(c.Trackers))
	for _, t := range c.Trackers {
		t = strings.TrimSuffix(t, "/")
		if !seen[t] {
			seen[t] = true
			trackers = append(trackers, t)
		}
	}
	c.Trackers = trackers
	return c
}

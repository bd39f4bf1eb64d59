package swarm

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
)

// Config shapes the meshes and bounds the state. All fields must be set; Defaults has what the tracker uses.
type Config struct {
	// MinInterval is the announce interval of a viewer without peers, MaxInterval that of one with all the peers it needs.
	MinInterval, MaxInterval time.Duration
	// Slack is added to two intervals before a silent peer is removed. p2p-media-loader 3 and later wait at least 20 s
	// whatever interval they receive, so Slack must not be shorter than that.
	Slack time.Duration
	// OfferTTL is how long an offer may be answered. Browsers drop theirs after 50 s.
	OfferTTL time.Duration
	// RepeatAfter is how long after an answered offer another one checks whether the two viewers are connected.
	RepeatAfter time.Duration
	// FailedFor is how long a pair whose introductions led to no connection is remembered.
	FailedFor time.Duration
	// RelinkAfter is how long after an answered offer a viewer may get another one, in case the connection was never
	// established; RelinkSeederAfter is the same for seeders.
	RelinkAfter, RelinkSeederAfter time.Duration
	// Seeders is how many seeders a viewer's offers go to.
	Seeders int
	// Peers is how many connections a viewer needs, MaxPeers how many it gets.
	Peers, MaxPeers int
	// SeederPeers is the limit of a seeder that reported none.
	SeederPeers int
	// PeersPerSwarm bounds a swarm.
	PeersPerSwarm int
	// OffersPerSecond is how many offers per second are sent to a viewer over time.
	OffersPerSecond int
	// PendingOffers is how many offers are remembered for their answers.
	PendingOffers int
	// Gateways is how many viewers of each cell of a site are led to peers outside of it, unless its place says otherwise.
	Gateways int
	// NewCell is for how long a cell whose first viewer has just come has one gateway, once that is connected to a seeder.
	NewCell time.Duration
	// CellSize is how many viewers of one site may meet; a site with more is split into cells.
	CellSize int
	// GatewayInterval bounds the announce interval of a gateway that is led outside, and GatewaySilence is for how long beyond
	// its interval it may be silent. One that reports may be silent for three reports, at least for GatewaySilence.
	GatewayInterval, GatewaySilence time.Duration
	// SeederPrefix are the first characters of peer ids that only seeders may use; empty: none are reserved.
	SeederPrefix string
}

// Defaults returns the configuration that the tracker uses unless configured otherwise.
func Defaults() Config {
	return Config{
		MinInterval: 7 * time.Second, MaxInterval: 90 * time.Second, Slack: 30 * time.Second,
		OfferTTL: 60 * time.Second, RepeatAfter: 28 * time.Second, FailedFor: 10 * time.Minute, RelinkAfter: 3 * time.Minute, RelinkSeederAfter: 30 * time.Second,
		Seeders: 2, Peers: 8, MaxPeers: 20, SeederPeers: 200, PeersPerSwarm: 50_000,
		OffersPerSecond: 2, PendingOffers: 500_000,
		Gateways: 3, NewCell: 7 * time.Second, CellSize: 1000, GatewayInterval: 20 * time.Second, GatewaySilence: 10 * time.Second,
	}
}

// maxSeederPeers bounds what a report may claim as a seeder's limit.
const maxSeederPeers = 10_000

// maxRelations is how many relations a viewer may have before its offers are no longer relayed: it bounds what a client
// that announces all the time can make the tracker remember.
func (c Config) maxRelations() int { return 4*c.MaxPeers + 32 }

// perSource is how many connections a viewer gets to viewers of one other source, in a swarm whose viewers have the given
// number of sources. With few sources it does not limit: all viewers may be behind one NAT.
func (c Config) perSource(sources int) int {
	return max((c.MaxPeers+sourceShare-1)/sourceShare, (2*c.MaxPeers+sources-1)/max(1, sources))
}

// sourceShare is which share of a viewer's connections one source may have at least: one in this many.
const sourceShare = 4

// crowded is how many connections a viewer may get when a newcomer finds no viewer with fewer.
func (c Config) crowded() int { return c.MaxPeers + c.MaxPeers/2 }

// offerLimit is how many offers may be sent to a peer at once, and per second. Each offer costs its recipient work, and
// relations limit offers only between peers that stay: a client that leaves and returns under a new id would otherwise
// send offers to all peers again.
func (c Config) offerLimit(s *Socket) tokenbucket.Rate {
	if !s.Seeder {
		return tokenbucket.Rate{Burst: float64(c.crowded()), PerSecond: float64(c.OffersPerSecond)}
	}
	_, limit := s.load(c)
	return tokenbucket.Rate{Burst: float64(2 * limit), PerSecond: max(1, float64(limit)/2)}
}

// retryAfter is how long a pair gets no further offer after an unanswered one; interval is the offerer's announce interval.
func (c Config) retryAfter(interval time.Duration) time.Duration {
	return max(2*interval, c.OfferTTL)
}

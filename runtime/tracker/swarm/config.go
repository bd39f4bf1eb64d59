package swarm

import "time"

// Config shapes the meshes and bounds the state. All fields must be set; Defaults has what the tracker uses.
type Config struct {
	// MinInterval is told to a viewer that is alone, MaxInterval to one that has all it needs.
	MinInterval, MaxInterval time.Duration
	// Slack is added to two intervals before a silent peer is taken for gone. p2p-media-loader 3 and later wait at
	// least 20 s whatever they are told, so it must not be shorter than that.
	Slack time.Duration
	// OfferTTL is how long an offer may be answered. Browsers drop theirs after 50 s.
	OfferTTL time.Duration
	// RelinkAfter is when an answered offer to a viewer may be doubted, RelinkSeederAfter when one to a seeder.
	RelinkAfter, RelinkSeederAfter time.Duration
	// Seeders is how many seeders a viewer is led to.
	Seeders int
	// Peers is how many connections a viewer needs, MaxPeers how many it gets.
	Peers, MaxPeers int
	// SeederPeers is the limit of a seeder that reported none.
	SeederPeers int
	// PeersPerSwarm bounds a swarm.
	PeersPerSwarm int
	// OffersPerSecond is how many offers a viewer is given over time.
	OffersPerSecond int
	// PendingOffers is how many offers are remembered for their answers.
	PendingOffers int
}

// Defaults returns the configuration that the tracker uses where it is not told otherwise.
func Defaults() Config {
	return Config{
		MinInterval: 7 * time.Second, MaxInterval: 90 * time.Second, Slack: 30 * time.Second,
		OfferTTL: 60 * time.Second, RelinkAfter: 3 * time.Minute, RelinkSeederAfter: 30 * time.Second,
		Seeders: 2, Peers: 8, MaxPeers: 20, SeederPeers: 200, PeersPerSwarm: 50_000,
		OffersPerSecond: 2, PendingOffers: 500_000,
	}
}

// maxSeederPeers bounds what a report may claim as a seeder's limit.
const maxSeederPeers = 10_000

// maxRelations is how many relations a viewer may have before its offers are no longer passed on: it bounds what
// somebody who announces all the time can make the tracker remember.
func (c Config) maxRelations() int { return 4*c.MaxPeers + 32 }

// crowded is how many connections a viewer may be given when a newcomer finds nobody less busy.
func (c Config) crowded() int { return c.MaxPeers + c.MaxPeers/2 }

// inbox is how many offers a peer may be given at once, and a second. Offers are work for whoever gets them, and
// relations bound them only among those who stay: somebody who leaves and comes back as somebody else would be given
// everybody again and again.
func (c Config) inbox(s *Socket) (burst, rate float64) {
	if !s.Seeder {
		return float64(c.crowded()), float64(c.OffersPerSecond)
	}
	_, limit := s.load(c)
	return float64(2 * limit), max(1, float64(limit)/2)
}

// retryAfter is how long a pair is left alone after an offer that went to a peer announcing every interval.
func (c Config) retryAfter(interval time.Duration) time.Duration {
	return max(2*interval, c.OfferTTL)
}

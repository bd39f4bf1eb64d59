package config

import "time"

// heldBytesPerSocket is above what a socket with TLS keeps for reading: a record has at most 16 KiB.
const heldBytesPerSocket = 24 << 10

// WithDefaults returns the configuration with unset fields at their defaults; cpus is the number of usable CPUs.
func (c Config) WithDefaults(cpus int) Config {
	if c.Listen == "" {
		c.Listen = ":8000"
	}
	number := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	period := func(v *Duration, d time.Duration) {
		if *v == 0 {
			*v = Duration(d)
		}
	}
	period(&c.AnnounceInterval.Min, 7*time.Second)
	period(&c.AnnounceInterval.Max, max(90*time.Second, c.AnnounceInterval.Min.Std()))
	period(&c.DrainPeriod, 3*time.Second)
	number(&c.Shards, max(1, min(cpus, 8)))
	p := &c.Peering
	number(&p.Seeders, 2)
	number(&p.Peers, 8)
	number(&p.MaxPeers, max(20, p.Peers))
	number(&p.SeederPeers, 200)
	number(&p.Gateways, 3)
	number(&p.CellSize, 1000)
	l := &c.Limits
	number(&l.MessageBytes, 64<<10)
	number(&l.OffersPerAnnounce, 10)
	number(&l.ScrapeHashes, 64)
	number(&l.SwarmsPerSocket, 64)
	number(&l.IDsPerSocket, 64)
	number(&l.IDsPerSwarm, 4)
	number(&l.SocketsPerAddress, 10_000)
	number(&l.SocketsPerTicket, 64)
	number(&l.ReportsPerSecond, 2_000)
	number(&l.Sockets, 50_000)
	number(&l.Connections, 16_384)
	if l.SocketsPerAddress < 0 {
		// All viewers share one address, so limits per address would hit all of them: disable those that are unset.
		number(&l.ConnectionsPerAddress, -1)
		number(&l.AddressConnectionsPerSecond, -1)
		number(&l.AddressUpgradesPerSecond, -1)
		number(&l.RequestsPerSecond, -1)
	}
	number(&l.ConnectionsPerAddress, max(1, l.Connections/8))
	number(&l.AddressConnectionsPerSecond, 1_000)
	number(&l.AddressConnectionBurst, max(4_000, l.AddressConnectionsPerSecond))
	number(&l.Swarms, 20_000)
	number(&l.PeersPerSwarm, 50_000)
	number(&l.MessagesPerSecond, 50)
	number(&l.MessageBurst, 200)
	number(&l.UpgradesPerSecond, 2_000)
	number(&l.UpgradeBurst, max(4_000, l.UpgradesPerSecond))
	number(&l.AddressUpgradesPerSecond, max(1, l.UpgradesPerSecond/2))
	number(&l.AddressUpgradeBurst, max(1, l.UpgradeBurst/2))
	number(&l.PendingOffers, 500_000)
	number(&l.OffersPerSecond, 2)
	number(&l.BytesPerSecond, 256<<10)
	number(&l.ByteBurst, max(4<<20, l.BytesPerSecond))
	number(&l.RequestsPerSecond, 500)
	number(&l.RequestBurst, max(2_000, l.RequestsPerSecond))
	number(&l.Sessions, 100_000)
	number(&l.SendQueueBytes, 256<<10)
	number(&l.HeldBytes, max(LeastHeldBytes, l.Sockets*heldBytesPerSocket))
	number(&l.HistoryBytes, 64<<20)
	period(&l.MessageTimeout, 10*time.Second)
	period(&l.WriteTimeout, 10*time.Second)
	period(&l.PingInterval, 25*time.Second)
	period(&l.FirstMessageTimeout, time.Minute)
	period(&l.IdleTimeout, 5*time.Minute)
	if c.Stream != nil {
		s := *c.Stream
		period(&s.TelemetryInterval, 5*time.Second)
		period(&s.Tickets.Lifetime, 36*time.Hour)
		if s.ViewerTokens != nil {
			tokens := *s.ViewerTokens
			period(&tokens.ClockSkew, 30*time.Second)
			s.ViewerTokens = &tokens
		}
		c.Stream = &s
	}
	return c
}

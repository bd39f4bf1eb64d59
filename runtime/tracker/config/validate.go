package config

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/validate"
)

// Validate returns an error for the first invalid field, by its JSON name. It opens no file.
func (c Config) Validate() error {
	c = c.WithDefaults(1)
	return validate.First(
		validate.HostPort(":8000")("config.listen", c.Listen),
		validate.Optional("config.internalListen", c.InternalListen, validate.HostPort(":8001")),
		validate.Optional("config.adminListen", c.AdminListen, validate.HostPort(":9090")),
		c.validateSecrets(),
		validate.Each("config.candidateRanges", c.CandidateRanges, validate.CIDR),
		validate.Each("config.allowedOrigins", c.AllowedOrigins, validate.Origin),
		c.ClientAddress.validate(),
		c.Sites.validate(),
		c.validateIntervals(),
		c.validateNumbers(),
		c.Stream.validate(),
		c.validateBasePath(),
		c.validateStreams(),
	)
}

func (c Config) validateBasePath() error {
	if p := c.BasePath; p != "" && (!strings.HasPrefix(p, "/") || path.Clean(p) != p || p == "/" || strings.ContainsFunc(p, notInPath)) {
		return fmt.Errorf("config.basePath: %q is no path; use one like /ecdn", p)
	}
	return nil
}

// notInPath reports whether a character would have to be escaped in a path.
func notInPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/-._~", r)
}

func (c Config) validateSecrets() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("config.tlsCert, config.tlsKey: set both or none")
	}
	if c.SeederToken != "" && c.SeederTokenFile != "" {
		return errors.New("config.seederToken, config.seederTokenFile: set one of them")
	}
	if c.SessionKey != "" && c.SessionKeyFile != "" {
		return errors.New("config.sessionKey, config.sessionKeyFile: set one of them")
	}
	if c.SessionKey != "" && len(c.SessionKey) < 16 {
		return fmt.Errorf("config.sessionKey: has %d bytes; use at least 16", len(c.SessionKey))
	}
	return nil
}

func (c Config) validateIntervals() error {
	if c.AnnounceInterval.Min < Duration(time.Second) || c.AnnounceInterval.Min > c.AnnounceInterval.Max {
		return fmt.Errorf("config.announceInterval: need 1s ≤ min (%v) ≤ max (%v)",
			c.AnnounceInterval.Min, c.AnnounceInterval.Max)
	}
	if c.AnnounceInterval.Max > Duration(time.Hour) {
		return fmt.Errorf("config.announceInterval.max: %v is above 1h", c.AnnounceInterval.Max)
	}
	l := c.Limits
	return validate.First(
		validate.Between("config.limits.pingInterval", l.PingInterval, Duration(time.Second), Duration(time.Minute)),
		validate.NotNegative("config.drainPeriod", c.DrainPeriod.Std()),
		validate.Between("config.limits.messageTimeout", l.MessageTimeout, Duration(100*time.Millisecond), Duration(time.Hour)),
		validate.NotNegative("config.limits.writeTimeout", l.WriteTimeout.Std()),
		validate.NotNegative("config.limits.firstMessageTimeout", l.FirstMessageTimeout.Std()),
		validate.NotNegative("config.limits.idleTimeout", l.IdleTimeout.Std()),
	)
}

func (c Config) validateNumbers() error {
	l := c.Limits
	if err := validate.First(
		validate.Between("config.shards", c.Shards, 1, MaxShards),
		validate.Between("config.peering.gateways", c.Peering.Gateways, 1, MaxGateways),
		validate.AtLeast("config.peering.cellSize", c.Peering.CellSize, LeastCellSize),
		validate.AtLeast("config.limits.heldBytes", l.HeldBytes, LeastHeldBytes),
		validate.AtLeast("config.limits.historyBytes", l.HistoryBytes, LeastHistoryBytes),
	); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"peering.seeders", c.Peering.Seeders}, {"peering.peers", c.Peering.Peers},
		{"peering.maxPeers", c.Peering.MaxPeers}, {"peering.seederPeers", c.Peering.SeederPeers},
		{"limits.messageBytes", l.MessageBytes}, {"limits.offersPerAnnounce", l.OffersPerAnnounce},
		{"limits.scrapeHashes", l.ScrapeHashes}, {"limits.swarmsPerSocket", l.SwarmsPerSocket},
		{"limits.idsPerSocket", l.IDsPerSocket}, {"limits.sockets", l.Sockets},
		{"limits.socketsPerTicket", l.SocketsPerTicket}, {"limits.reportsPerSecond", l.ReportsPerSecond}, {"limits.swarms", l.Swarms},
		{"limits.peersPerSwarm", l.PeersPerSwarm}, {"limits.messagesPerSecond", l.MessagesPerSecond},
		{"limits.messageBurst", l.MessageBurst}, {"limits.upgradesPerSecond", l.UpgradesPerSecond},
		{"limits.upgradeBurst", l.UpgradeBurst}, {"limits.sendQueueBytes", l.SendQueueBytes},
		{"limits.idsPerSwarm", l.IDsPerSwarm}, {"limits.connections", l.Connections},
		{"limits.addressUpgradeBurst", l.AddressUpgradeBurst},
		{"limits.addressConnectionBurst", l.AddressConnectionBurst}, {"limits.pendingOffers", l.PendingOffers},
		{"limits.offersPerSecond", l.OffersPerSecond}, {"limits.bytesPerSecond", l.BytesPerSecond},
		{"limits.byteBurst", l.ByteBurst}, {"limits.requestBurst", l.RequestBurst}, {"limits.sessions", l.Sessions},
	} {
		if err := validate.AtLeast("config."+f.name, f.value, 1); err != nil {
			return err
		}
	}
	if c.Peering.MaxPeers < c.Peering.Peers {
		return fmt.Errorf("config.peering.maxPeers: %d is below peers, %d", c.Peering.MaxPeers, c.Peering.Peers)
	}
	return nil
}

func (s *StreamConfig) validate() error {
	if s == nil {
		return nil
	}
	return validate.First(
		validate.HTTP("config.stream.sourceURL", s.SourceURL),
		validate.Optional("config.stream.seederURL", s.SeederURL, validate.HTTP),
		validate.Format("config.stream.format", s.Format),
		validate.Generations("config.stream.generations", s.Generations),
		validate.Optional("config.stream.externalURL", s.ExternalURL, validate.BaseURL),
		validate.Each("config.stream.stun", s.STUN, validate.STUN),
		validate.SignedPaths("config.stream.signedPaths", s.SignedPaths),
		validate.NotNegative("config.stream.telemetryInterval", s.TelemetryInterval.Std()),
		validate.Between("config.stream.tickets.lifetime", s.Tickets.Lifetime, Duration(time.Minute), Duration(30*24*time.Hour)),
		s.ViewerTokens.validate(s.Tickets),
		validate.JSONObject("config.stream.settings", s.Settings, `{"core":{"highDemandTimeWindow":5}}`),
	)
}

func (c *TokensConfig) validate(tickets TicketsConfig) error {
	if c == nil {
		return nil
	}
	if tickets.Optional {
		return errors.New("config.stream.tickets.optional: without tickets, viewer tokens guard nothing; remove one of them")
	}
	if c.KeysDir == "" {
		return errors.New("config.stream.viewerTokens.keysDir: is missing; name the directory with the keys of the tokens")
	}
	return validate.Between("config.stream.viewerTokens.clockSkew", c.ClockSkew, 0, Duration(10*time.Minute))
}

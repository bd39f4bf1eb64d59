package tracker

import (
	"crypto/tls"
	"fmt"

	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// The configuration is in a package of its own for programs that only write one, such as the operator.
type (
	// Config is the tracker's configuration.
	Config = config.Config
	// StreamConfig is the stream that a tracker serves.
	StreamConfig = config.StreamConfig
	// StreamsConfig makes a tracker serve the streams of a table.
	StreamsConfig = config.StreamsConfig
	// TicketsConfig says what viewers present when they open a WebSocket.
	TicketsConfig = config.TicketsConfig
	// TokensConfig says which tokens viewers present to get their settings.
	TokensConfig = config.TokensConfig
	// SitesConfig says which places in the network viewers are in.
	SitesConfig = config.SitesConfig
	// ClientAddressConfig says how the tracker learns the addresses of its clients.
	ClientAddressConfig = config.ClientAddressConfig
	// IntervalConfig bounds the announce interval.
	IntervalConfig = config.IntervalConfig
	// PeeringConfig shapes the meshes.
	PeeringConfig = config.PeeringConfig
	// LimitsConfig limits the load that clients can cause.
	LimitsConfig = config.LimitsConfig
	// Duration is a string like "7s" in JSON.
	Duration = config.Duration
)

// heldLimit returns limits.heldBytes of a configuration whose defaults may be missing. known is how many bytes the process
// may use, 0 if that is unknown.
func heldLimit(cfg Config, known int64) int {
	limit := cfg.WithDefaults(1).Limits.HeldBytes
	if cfg.Limits.HeldBytes == 0 && known > 0 {
		limit = min(limit, max(int(known/2), config.LeastHeldBytes))
	}
	return limit
}

// historyLimit is heldLimit for limits.historyBytes.
func historyLimit(cfg Config, known int64) int {
	limit := cfg.WithDefaults(1).Limits.HistoryBytes
	if cfg.Limits.HistoryBytes == 0 && known > 0 {
		limit = min(limit, max(int(known/8), config.LeastHistoryBytes))
	}
	return limit
}

// CheckFiles returns an error for a configured TLS certificate or key that cannot be loaded.
func CheckFiles(cfg Config) error {
	if cfg.TLSCert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey); err != nil {
		return fmt.Errorf("config.tlsCert: %w", err)
	}
	return nil
}

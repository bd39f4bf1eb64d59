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
	// TicketsConfig says what viewers present when they open a WebSocket.
	TicketsConfig = config.TicketsConfig
	// TokensConfig says which tokens viewers present to get their settings.
	TokensConfig = config.TokensConfig
	// IntervalConfig bounds the announce interval.
	IntervalConfig = config.IntervalConfig
	// PeeringConfig shapes the meshes.
	PeeringConfig = config.PeeringConfig
	// LimitsConfig limits the load that clients can cause.
	LimitsConfig = config.LimitsConfig
	// Duration is a string like "7s" in JSON.
	Duration = config.Duration
)

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

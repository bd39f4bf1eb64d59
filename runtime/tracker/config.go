package tracker

import (
	"crypto/tls"
	"fmt"

	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// The configuration, which has a package of its own for those who only make one.
type (
	// Config is the tracker's configuration.
	Config = config.Config
	// StreamConfig is the stream that a tracker serves.
	StreamConfig = config.StreamConfig
	// IntervalConfig bounds the announce interval.
	IntervalConfig = config.IntervalConfig
	// PeeringConfig shapes the meshes.
	PeeringConfig = config.PeeringConfig
	// LimitsConfig bounds what strangers can cause.
	LimitsConfig = config.LimitsConfig
	// Duration is a text like "7s" in JSON.
	Duration = config.Duration
)

// CheckFiles says which of the configured files cannot be used at all, whatever they will hold later.
func CheckFiles(cfg Config) error {
	if cfg.TLSCert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey); err != nil {
		return fmt.Errorf("config.tlsCert: %w", err)
	}
	return nil
}

package seeder

import "github.com/p2pstream/p2pstream/runtime/seeder/config"

// Config is what a seeder runs with. It has a package of its own, so that
// its producers need no part of the seeder.
type Config = config.Config

// Duration is a string like "5s" in JSON.
type Duration = config.Duration

// The values of Config.SuperSeeding.
const (
	SuperSeedingAuto   = config.SuperSeedingAuto
	SuperSeedingOff    = config.SuperSeedingOff
	SuperSeedingAlways = config.SuperSeedingAlways
)

// Defaults of Config.
const (
	DefaultMaxPeers = config.DefaultMaxPeers
	DefaultCache    = config.DefaultCache
	DefaultInterval = config.DefaultInterval
	DefaultDrain    = config.DefaultDrain
)

package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Config says what a peer is to do; all is set.
type Config struct {
	Seeder      bool // hold every segment; otherwise play, or serve players
	Edge        bool // of a seeder: get segments from other seeders before the origin, see fill.go
	OnDemand    bool // serve players instead of playing
	Alone       bool // there are no peers: all comes from the origin
	Generations []identity.Generation
	Bandwidth   int64          // of the rendition, in bits per second; 0 if unknown
	Seed        uint64         // makes this peer's choices differ from other peers'
	Random      func() float64 // [0,1)

	Patience  time.Duration // how long a player with media to play waits for peers; OnDemand only
	WaitLimit time.Duration // how long a player waits for any byte; OnDemand only

	LiveDelay         time.Duration // distance to the live edge at the start; 0: as the playlist and LiveDelaySegments say
	LiveDelaySegments int           // the same in target durations; 0: as the playlist says
	StartupWait       time.Duration // how long to wait for peers before the origin is asked for the first segment
	PrefetchDelay     time.Duration // how long after the start the origin is asked for urgent segments only
	Limits            schedule.Limits
	SeedersHold       bool // seeders hold the stream, as the tracker says

	NewReaders func() Readers // of a new segment
}

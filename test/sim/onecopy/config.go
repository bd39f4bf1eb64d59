package onecopy

import "time"

// Config is one run. All randomness comes from Seed.
type Config struct {
	Seed             uint64
	Viewers, Seeders int
	// Links is how many others a viewer connects with when it comes, at most. As many connect with it, on average.
	Links int
	// Behind is how many target durations viewers play behind the edge.
	Behind int
	// Storm is in what time all viewers join, Length how long the run is. Figures are of the segments that are published
	// after the storm and Settle.
	Storm, Settle, Length time.Duration
	// Churn is the share of the viewers that leave in a minute without a word, each replaced by a new one.
	Churn float64
	// Deserters is the share of the viewers to which the origin brings nothing in a minute: they say that they are fetching,
	// and do not get it. SeederHangs likewise makes one seeder get nothing from the origin from the end of the storm on.
	Deserters   float64
	SeederHangs bool
	// Says is how many members a tracker says that there are; zero: the truth.
	Says int
}

// Usual is a run without trouble: segments of 4 s, and viewers three of them behind the edge.
func Usual(viewers, seeders int) Config {
	return Config{
		Seed: 1, Viewers: viewers, Seeders: seeders, Links: 5, Behind: 3,
		Storm: 10 * time.Second, Settle: 20 * time.Second, Length: 90 * time.Second,
	}
}

// The model.
const (
	target  = 4 * time.Second
	entries = 10  // of the playlist
	before  = 20  // segments that were published before the run
	size    = 100 // bytes of a segment: each stands for 15,000

	delay        = 30 * time.Millisecond // of a message between peers
	linkLeast    = 400 * time.Millisecond
	linkMost     = 800 * time.Millisecond // a connection is open so long after the viewer came
	originLeast  = 150 * time.Millisecond
	stall        = 5 * time.Second        // after which a transfer that brings nothing is given up
	originMost   = 450 * time.Millisecond // that the origin takes for a segment
	peerTransfer = 100 * time.Millisecond // that a peer takes for one; others wait for it
	silence      = 4 * time.Second        // after which a peer that went without a word is noticed
	count        = 10 * time.Second       // how often a tracker says how many there are

	viewerTick = 100 * time.Millisecond
	seederTick = 500 * time.Millisecond
	pause      = 5 * time.Millisecond // between two passes of a peer

	storeBytes = 40 * size
)

package sim

import "time"

// Config is one run. All randomness comes from Seed.
type Config struct {
	Seed  uint64
	Sites int
	// Least and Most are the viewers of the smallest and of the largest site; sizes between are spread evenly on a scale of
	// powers.
	Least, Most int
	Seeders     int
	// Storm is in what time all viewers join, Length how long the run is. Figures are taken after the storm.
	Storm, Length time.Duration
	// Churn is the share of the viewers that leave in a minute, each replaced by a new one. Silent is the share of those that
	// leave without closing their socket.
	Churn, Silent float64
	// Segment is the duration of a segment and Rate the rendition's bits per second.
	Segment time.Duration
	Rate    float64
	// Line is a site's bits per second for up to LineViewers viewers, and five times that for more. Uplink is that of a viewer
	// inside of its site.
	Line, Uplink float64
	LineViewers  int
	// Kill is how often one gateway of each site goes without a word, and is replaced by a newcomer; zero: never.
	Kill time.Duration
	// Reports is how often viewers report what they delivered, as pages with the reporter script do; zero: never.
	Reports time.Duration
	// Cell and Gateways are settings of the tracker; zero: its defaults.
	Cell, Gateways int
	// Without leaves sites out of the tracker: all viewers meet, and all are led to seeders. Unspread has seeders hold nothing
	// back from any gateway.
	Without, Unspread bool
}

// Full is the run of docs/simulation.md.
func Full() Config {
	return Config{Seed: 1, Sites: 200, Least: 5, Most: 500, Seeders: 4, Storm: time.Minute, Length: 4 * time.Minute, Churn: 0.3, Silent: 0.2,
		Segment: 4 * time.Second, Rate: 3e6, Line: 20e6, Uplink: 50e6, LineViewers: 40,
		Reports: 5 * time.Second}
}

// Times of the model that are the same in all runs.
const (
	step = 100 * time.Millisecond
	// A connection is open connectLeast to twice that after the offer was relayed.
	connectLeast = 400 * time.Millisecond
	// A player begins with the segment that is the backlog-th newest, and waits for it for firstPatience before it goes to the
	// origin, as with the reporter script. It goes there for later ones when they are to be played in less than window. These
	// are the settings of /v1/config for segments of 4 s.
	backlog       = 4
	firstPatience = 1500 * time.Millisecond
	window        = 3 * time.Second
	// entries is how many segments a playlist has, before how many there are when the run begins.
	entries = 10
	before  = 10
	// uploads is how many segments a viewer sends at the same time, downloads how many it takes.
	uploads, downloads = 6, 3
	// A dead socket is closed deadAfter its client went, as by keep-alives, or probedAfter a probe.
	deadAfter   = 55 * time.Second
	probedAfter = 5 * time.Second
)

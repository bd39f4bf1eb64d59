package viewerapi

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Stats is the answer of GET /v1/stats. Bytes are media bytes; see telemetry.Counters for what counts as one.
type Stats struct {
	Version   int       `json:"v"` // 1
	Boot      string    `json:"boot"`
	StartedAt time.Time `json:"startedAt"`
	Now       time.Time `json:"now"`
	Stream    string    `json:"stream,omitempty"`
	StreamURL string    `json:"streamURL,omitempty"` // without its query
	SwarmID   string    `json:"swarmID,omitempty"`

	// Viewers is the larger of the reporting sessions and the viewer sockets. A session and a socket cannot be told to
	// be the same page, so this is exact while every page reports or none does, and a lower bound when some pages
	// report while others have only a socket.
	Viewers   int `json:"viewers"`
	Reporting int `json:"reporting"` // viewer sessions heard within three intervals
	Seeders   int `json:"seeders"`   // the larger of seeder sockets and freshly reporting seeders
	Peers     int `json:"peers"`     // memberships over all swarms, seeders included

	ViewerSockets int `json:"viewerSockets"`
	SeederSockets int `json:"seederSockets"`

	Renditions []RenditionStats `json:"renditions"`
	// OtherSwarms counts swarms that belong to no known rendition, and OtherPeers their members.
	OtherSwarms int `json:"otherSwarms"`
	OtherPeers  int `json:"otherPeers"`

	Offload Offload `json:"offload"`

	Peerable        *bool     `json:"peerable"` // null: unknown
	Reason          string    `json:"reason,omitempty"`
	Message         string    `json:"message,omitempty"`
	SourceReadAt    time.Time `json:"sourceReadAt,omitzero"`
	SourceProblem   string    `json:"sourceProblem,omitempty"`
	SeedersHold     bool      `json:"seedersHold"` // whether viewers are told to wait for seeders
	SeedersHolding  int       `json:"seedersHolding"`
	IntervalSeconds float64   `json:"intervalSeconds"` // between reports

	SeederStates []telemetry.SeederReport   `json:"seederStates"`
	Groups       []telemetry.Group          `json:"groups"` // by role and site
	Refused      map[telemetry.Reason]int64 `json:"refused"`
	Sessions     int                        `json:"sessions"` // remembered
	Evicted      int64                      `json:"evicted"`
}

// RenditionStats is one rendition with the swarms of its generations.
type RenditionStats struct {
	Name       string       `json:"name"`
	Type       string       `json:"type,omitempty"`
	Bandwidth  int64        `json:"bandwidth,omitempty"`
	Codecs     string       `json:"codecs,omitempty"`
	Resolution string       `json:"resolution,omitempty"`
	Peers      int          `json:"peers"` // over all generations
	Swarms     []SwarmStats `json:"swarms"`
}

// SwarmStats is one swarm.
type SwarmStats struct {
	Generation string `json:"generation"` // "v2.2", "v2.3"
	InfoHash   string `json:"infoHash"`
	Peers      int    `json:"peers"`
	Seeders    int    `json:"seeders"`
}

// Offload sums what viewers report; seeders' own traffic is not in it.
type Offload struct {
	WindowSeconds float64            `json:"windowSeconds"`
	Window        telemetry.Counters `json:"window"`
	WindowRatio   *float64           `json:"windowRatio"` // peer ÷ received in the window; null: nothing received
	Totals        telemetry.Counters `json:"totals"`      // since startedAt; see telemetry.Accumulator
	TotalRatio    *float64           `json:"totalRatio"`
	SeederTotals  telemetry.Counters `json:"seederTotals"` // of the seeders: http is what they took from the origin
	Stalls        int64              `json:"stalls"`
	StallMs       int64              `json:"stallMs"`
	StartupMs     int64              `json:"startupMs"` // mean
}

// Package stats defines the JSON at /v1/stats, for the tracker that writes it and for the programs that read it. It is
// pure, and imports no part of the tracker.
package stats

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Version is the version of the format that this package reads and writes.
const Version = 1

// Path is where a tracker answers with Stats.
const Path = "/v1/stats"

// MaxBytes is above the size of every answer; readers may refuse longer ones.
const MaxBytes = 4 << 20

// Stats is the answer of GET /v1/stats. Bytes are media bytes; see telemetry.Counters for what counts as one.
type Stats struct {
	Version   int       `json:"v"`
	Boot      string    `json:"boot"` // random, of this run of the tracker
	StartedAt time.Time `json:"startedAt"`
	Now       time.Time `json:"now"`
	Draining  bool      `json:"draining,omitempty"` // the tracker is shutting down: its viewers move to another one
	Stream    string    `json:"stream,omitempty"`
	StreamURL string    `json:"streamURL,omitempty"` // without its query
	SwarmID   string    `json:"swarmID,omitempty"`

	// ViewersKnown is false until the tracker has been up long enough for viewers of an earlier run to reconnect: until
	// then Viewers, Reporting and Peers count those that have reconnected already, not all there are.
	ViewersKnown bool `json:"viewersKnown"`
	// Viewers is the larger of the reporting sessions and the viewer sockets. Sessions and sockets cannot be matched, so
	// this is exact while every page reports or none does, and a lower bound when some pages report and others only
	// have a socket.
	Viewers   int `json:"viewers"`
	Reporting int `json:"reporting"` // viewer sessions that reported within three intervals
	Seeders   int `json:"seeders"`   // the larger of seeder sockets and currently reporting seeders
	Peers     int `json:"peers"`     // memberships over all swarms, seeders included

	ViewerSockets int `json:"viewerSockets"`
	SeederSockets int `json:"seederSockets"`

	// OneAddress is the address that all viewers have, if they are many: a proxy or a NAT in the cluster may hide theirs.
	OneAddress string `json:"oneAddress,omitempty"`
	// SiteMap is the map of sites; nil: none is configured.
	SiteMap *SiteMap `json:"siteMap,omitempty"`
	// Sites are the figures of sites, those with most traffic first; nil: no sites are configured.
	Sites []Site `json:"sites,omitempty"`
	// LocalAddresses says whether viewers of sites hide their own addresses; nil: there are no sites.
	LocalAddresses *LocalAddresses `json:"localAddresses,omitempty"`

	Renditions []Rendition `json:"renditions"` // in the order of the manifest; empty while it has not been read
	// OtherSwarms counts swarms that belong to no known rendition, and OtherPeers their members.
	OtherSwarms int `json:"otherSwarms"`
	OtherPeers  int `json:"otherPeers"`

	Offload Offload `json:"offload"`

	Peerable *bool  `json:"peerable"` // null: unknown, the stream has not been read yet
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message,omitempty"`
	Live     *bool  `json:"live"` // null: unknown
	// P2POff are the types of renditions, "main" and "secondary", that viewers are told to take from the origin alone,
	// because the stream cannot be shared. Message is a warning if Peerable is true.
	P2POff []string `json:"p2pOff,omitempty"`
	// SourceReadAt is when a playlist was last read; SourceProblem says why a newer one cannot be read.
	SourceReadAt  time.Time `json:"sourceReadAt,omitzero"`
	SourceProblem string    `json:"sourceProblem,omitempty"`

	SeedersHold    bool `json:"seedersHold"`    // whether viewers are told to wait for seeders
	SeedersHolding int  `json:"seedersHolding"` // how many hold the stream now and have room
	// Behind lists what reporting seeders should hold of a live stream and do not. It is computed from the newest
	// playlist that the tracker or any seeder has seen, so it does not grow while the origin is down.
	Behind []Behind `json:"behind"`

	// Elsewhere are the ids of reporting seeders that are in another swarm than the viewers. They are told to move, so that
	// this is empty again after their next report.
	Elsewhere []string `json:"elsewhere,omitempty"`
	// Integrity is what checks of segments by their hashes have shown; nil until a seeder has given hashes.
	Integrity *Integrity `json:"integrity,omitempty"`

	STUN []STUN `json:"stun"` // the configured servers, with the results of probes

	IntervalSeconds float64                    `json:"intervalSeconds"` // between reports
	SeederStates    []telemetry.SeederReport   `json:"seederStates"`
	Groups          []telemetry.Group          `json:"groups"` // by role and site
	Refused         map[telemetry.Reason]int64 `json:"refused"`
	Sessions        int                        `json:"sessions"` // remembered
	Evicted         int64                      `json:"evicted"`
}

// Rendition is one rendition with the swarms of its generations.
type Rendition struct {
	Name       string  `json:"name"`
	Type       string  `json:"type,omitempty"` // "main" or "secondary"
	Bandwidth  int64   `json:"bandwidth,omitempty"`
	Codecs     string  `json:"codecs,omitempty"`
	Resolution string  `json:"resolution,omitempty"`
	LiveEdge   *int64  `json:"liveEdge,omitempty"` // media sequence of the newest segment published, of a live stream
	Peers      int     `json:"peers"`              // over all generations
	Swarms     []Swarm `json:"swarms"`
}

// InfoHashes returns the rendition's info hashes by generation.
func (r Rendition) InfoHashes() map[string]string {
	hashes := make(map[string]string, len(r.Swarms))
	for _, s := range r.Swarms {
		hashes[s.Generation] = s.InfoHash
	}
	return hashes
}

// Swarm is one swarm.
type Swarm struct {
	Generation string `json:"generation"` // "v2.2", "v2.3"
	InfoHash   string `json:"infoHash"`
	Peers      int    `json:"peers"`
	Seeders    int    `json:"seeders"`
}

// Behind is a rendition whose newest segments a seeder does not hold. HeldEdge is −1 if the seeder holds nothing of it;
// Rendition is empty if the seeder holds nothing of the stream.
type Behind struct {
	Seeder    string `json:"seeder"` // as in SeederStates
	Rendition string `json:"rendition,omitempty"`
	HeldEdge  int64  `json:"heldEdge"`
	LiveEdge  int64  `json:"liveEdge"`
}

// STUN is a STUN server, which is in the viewers' configuration while it answers.
type STUN struct {
	Server string `json:"server"` // "stun:host:port"
	Ready  bool   `json:"ready"`
}

// Offload sums what viewers report; seeders' own traffic is not in it.
type Offload struct {
	WindowSeconds float64            `json:"windowSeconds"`
	Window        telemetry.Counters `json:"window"`
	WindowRatio   *float64           `json:"windowRatio"` // peer ÷ received in the window; null: nothing received
	Totals        telemetry.Counters `json:"totals"`      // since startedAt; see telemetry.Accumulator
	// Reading is the number of this reading of the totals in an answer to AccumulatePath; else 0.
	Reading      int64              `json:"reading,omitempty"`
	TotalRatio   *float64           `json:"totalRatio"`
	SeederTotals telemetry.Counters `json:"seederTotals"` // of the seeders: http is what they fetched from the origin
	Stalls       int64              `json:"stalls"`
	StallMs      int64              `json:"stallMs"`
	StartupMs    int64              `json:"startupMs"` // mean
	// Waits are the distributions of start-up and stalls since startedAt, RecentWaits those of the last five to ten minutes.
	// Those of several trackers can be merged. Nil: of a tracker that has none.
	Waits       *telemetry.Waits `json:"waits,omitempty"`
	RecentWaits *telemetry.Waits `json:"recentWaits,omitempty"`
}

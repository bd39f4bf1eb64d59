package stats

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Dashboard is the part of Stats that the dashboard shows. It names sites and seeders, but neither swarms nor addresses: where the
// dashboard is public, so is all of this.
type Dashboard struct {
	Now             time.Time `json:"now"`
	StartedAt       time.Time `json:"startedAt"`
	Draining        bool      `json:"draining,omitempty"`
	Stream          string    `json:"stream,omitempty"`
	IntervalSeconds float64   `json:"intervalSeconds"`

	ViewersKnown bool `json:"viewersKnown"`
	Viewers      int  `json:"viewers"`
	Reporting    int  `json:"reporting"`

	Seeders        int               `json:"seeders"`
	SeedersHolding int               `json:"seedersHolding"`
	SeederStates   []DashboardSeeder `json:"seederStates"`

	Live          *bool  `json:"live"`
	Peerable      *bool  `json:"peerable"`
	Message       string `json:"message,omitempty"`
	SourceProblem string `json:"sourceProblem,omitempty"`
	// STUNDown is how many STUN servers do not answer, of STUNServers.
	STUNServers int `json:"stunServers"`
	STUNDown    int `json:"stunDown"`
	// WrongSegments are segments from peers that were not what they should be, and were dropped.
	WrongSegments int64 `json:"wrongSegments"`

	Offload    DashboardOffload     `json:"offload"`
	Startup    Percentiles          `json:"startup"`
	Stall      Percentiles          `json:"stall"`
	Renditions []DashboardRendition `json:"renditions"`
	// HasSites says whether there is a map of sites; without one Sites is empty.
	HasSites bool   `json:"hasSites"`
	Sites    []Site `json:"sites"`
}

// DashboardOffload is the part of Offload.
type DashboardOffload struct {
	WindowSeconds float64            `json:"windowSeconds"`
	Window        telemetry.Counters `json:"window"`
	WindowRatio   *float64           `json:"windowRatio"`
	Totals        telemetry.Counters `json:"totals"`
	TotalRatio    *float64           `json:"totalRatio"`
	Stalls        int64              `json:"stalls"`
}

// Percentiles are those of the last five to ten minutes.
type Percentiles struct {
	Count int64   `json:"count"`
	P50Ms float64 `json:"p50Ms"`
	P95Ms float64 `json:"p95Ms"`
}

// DashboardSeeder is a seeder's load and room. Behind are renditions whose newest segments it lacks.
type DashboardSeeder struct {
	ID             string `json:"id"`
	Site           string `json:"site,omitempty"`
	EdgeSite       string `json:"edgeSite,omitempty"`
	Fresh          bool   `json:"fresh"`
	Peers          int    `json:"peers"`
	MaxPeers       int    `json:"maxPeers"`
	UplinkBps      int64  `json:"uplinkBps"`
	UplinkLimitBps int64  `json:"uplinkLimitBps"`
	Behind         int    `json:"behind"`
}

// DashboardRendition is a rendition and how many watch it.
type DashboardRendition struct {
	Name       string `json:"name"`
	Type       string `json:"type,omitempty"`
	Bandwidth  int64  `json:"bandwidth,omitempty"`
	Resolution string `json:"resolution,omitempty"`
	Viewers    int    `json:"viewers"`
}

// Bounds of a Dashboard.
const (
	maxDashboardSeeders    = 100
	maxDashboardRenditions = 32
)

// Dashboard returns the part that the dashboard shows.
func (s Stats) Dashboard() Dashboard {
	out := Dashboard{Now: s.Now, StartedAt: s.StartedAt, Draining: s.Draining, Stream: s.Stream, IntervalSeconds: s.IntervalSeconds,
		ViewersKnown: s.ViewersKnown, Viewers: s.Viewers, Reporting: s.Reporting, Seeders: s.Seeders, SeedersHolding: s.SeedersHolding,
		SeederStates: []DashboardSeeder{}, Live: s.Live, Peerable: s.Peerable, Message: s.Message, SourceProblem: s.SourceProblem,
		Offload: DashboardOffload{WindowSeconds: s.Offload.WindowSeconds, Window: s.Offload.Window, WindowRatio: s.Offload.WindowRatio,
			Totals: s.Offload.Totals, TotalRatio: s.Offload.TotalRatio, Stalls: s.Offload.Stalls},
		Renditions: []DashboardRendition{}, HasSites: s.Sites != nil, Sites: s.Sites}
	if out.Sites == nil {
		out.Sites = []Site{}
	}
	for _, server := range s.STUN {
		out.STUNServers++
		if !server.Ready {
			out.STUNDown++
		}
	}
	if s.Integrity != nil {
		out.WrongSegments = s.Integrity.Checks.Wrong
	}
	if w := s.Offload.RecentWaits; w != nil {
		out.Startup, out.Stall = PercentilesOf(w.Startup), PercentilesOf(w.Stall)
	}
	behind := map[string]int{}
	for _, b := range s.Behind {
		behind[b.Seeder]++
	}
	for i, r := range s.SeederStates {
		if i == maxDashboardSeeders {
			break
		}
		out.SeederStates = append(out.SeederStates, DashboardSeeder{ID: r.ID, Site: r.Site, EdgeSite: r.State.EdgeSite, Fresh: r.Fresh, Peers: r.State.Peers,
			MaxPeers: r.State.MaxPeers, UplinkBps: r.State.UplinkBps, UplinkLimitBps: r.State.UplinkLimitBps, Behind: behind[r.ID]})
	}
	for i, r := range s.Renditions {
		if i == maxDashboardRenditions {
			break
		}
		out.Renditions = append(out.Renditions, DashboardRendition{r.Name, r.Type, r.Bandwidth, r.Resolution, r.Watching()})
	}
	return out
}

// PercentilesOf returns the percentiles of a distribution.
func PercentilesOf(s telemetry.Spread) (out Percentiles) {
	out.Count = s.Count()
	if d, ok := s.Percentile(.5); ok {
		out.P50Ms = float64(d.Microseconds()) / 1000
	}
	if d, ok := s.Percentile(.95); ok {
		out.P95Ms = float64(d.Microseconds()) / 1000
	}
	return out
}

// Watching is how many members of the rendition's swarms are viewers.
func (r Rendition) Watching() (n int) {
	for _, swarm := range r.Swarms {
		n += max(0, swarm.Peers-swarm.Seeders)
	}
	return n
}

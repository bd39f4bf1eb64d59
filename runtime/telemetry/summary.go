package telemetry

import (
	"cmp"
	"slices"
	"time"
)

// seederMemory is how long the last state of a silent seeder is still shown, as not fresh.
const seederMemory = 10 * time.Minute

// GroupKey names one sum.
type GroupKey struct {
	Stream string `json:"stream"`
	Role   Role   `json:"role"`
	Site   string `json:"site,omitempty"`
}

type group struct {
	key      GroupKey
	total    Counters
	window   window[Counters]
	stalls   int64
	stallMs  int64
	checks   Checks
	startup  int64 // sum of milliseconds
	startups int64 // number of sessions that reported it
	live     int   // sessions that are heard
	peers    int   // connections that these report
}

func (g *group) add(r Result, elapsed time.Duration, now time.Time) {
	g.total = g.total.Add(r.Delta)
	g.window.add(r.Delta, elapsed, now)
	g.stalls += int64(r.Stalls)
	g.stallMs = addSaturating(g.stallMs, r.StallMs)
	g.checks = g.checks.Add(r.Checks)
	if r.Startup > 0 {
		g.startup = addSaturating(g.startup, r.Startup)
		g.startups++
	}
}

// group returns the sum for a sender. When there are too many groups, the site is dropped, never the bytes.
func (a *Aggregate) group(from Sender) *group {
	key := GroupKey{from.Stream, from.Role, from.Site}
	if g := a.groups[key]; g != nil {
		return g
	}
	if len(a.groups) >= a.cfg.MaxGroups {
		key.Site = ""
		if g := a.groups[key]; g != nil {
			return g
		}
	}
	g := &group{key: key, window: window[Counters]{width: a.bucket()}}
	a.groups[key] = g
	return g
}

// Group is the sum over the sessions of one stream, role and site.
type Group struct {
	GroupKey
	Reporting int      `json:"reporting"` // sessions heard within the live intervals
	Peers     int      `json:"peers"`     // connections that these sessions report now
	Totals    Counters `json:"totals"`    // since boot
	Window    Counters `json:"window"`    // over the last Config.Window
	Stalls    int64    `json:"stalls"`
	StallMs   int64    `json:"stallMs"`
	StartupMs int64    `json:"startupMs"` // mean over the sessions that reported it; 0 when none did
	Startups  int64    `json:"startups"`  // number of those sessions
	Checks    Checks   `json:"checks,omitzero"`
}

// Add returns the sum of two groups, under the key of the receiver.
func (g Group) Add(h Group) Group {
	g.Reporting += h.Reporting
	g.Peers += h.Peers
	g.Totals, g.Window = g.Totals.Add(h.Totals), g.Window.Add(h.Window)
	g.Stalls, g.StallMs = g.Stalls+h.Stalls, addSaturating(g.StallMs, h.StallMs)
	g.Checks = g.Checks.Add(h.Checks)
	if n := g.Startups + h.Startups; n > 0 {
		g.StartupMs = int64((float64(g.StartupMs)*float64(g.Startups) + float64(h.StartupMs)*float64(h.Startups)) / float64(n))
		g.Startups = n
	}
	return g
}

// SeederReport is the last state that one seeder reported.
type SeederReport struct {
	ID    string      `json:"id"`
	Site  string      `json:"site,omitempty"`
	At    time.Time   `json:"at"`
	Fresh bool        `json:"fresh"` // heard within the live intervals
	State SeederState `json:"state"`
}

// seeder is the last state that a session reported.
type seeder struct {
	id    string
	at    time.Time // of the last report, with a state or without
	state SeederState
}

// Summary is a snapshot of the aggregate. Bytes of sessions that no longer report stay in the totals.
type Summary struct {
	Groups   []Group          `json:"groups"` // ordered by stream, role, site
	Seeders  []SeederReport   `json:"seeders"`
	Refused  map[Reason]int64 `json:"refused"`
	Sessions int              `json:"sessions"` // remembered, live or not
	Evicted  int64            `json:"evicted"`  // forgotten because of the limit or their age
}

// Summary returns the sums. Its cost does not depend on the number of sessions.
func (a *Aggregate) Summary(now time.Time) Summary {
	a.forget(now, a.cfg.MaxSessions)
	a.sweep(now)
	out := Summary{Seeders: a.Seeders(now), Refused: make(map[Reason]int64, len(a.refused)), Sessions: a.Sessions(), Evicted: a.evicted}
	for _, g := range a.groups {
		sum := Group{GroupKey: g.key, Reporting: g.live, Peers: g.peers, Totals: g.total, Window: g.window.sum(now),
			Stalls: g.stalls, StallMs: g.stallMs, Checks: g.checks}
		if g.startups > 0 {
			sum.StartupMs, sum.Startups = g.startup/g.startups, g.startups
		}
		out.Groups = append(out.Groups, sum)
	}
	for reason, n := range a.refused {
		out.Refused[reason] = n
	}
	slices.SortFunc(out.Groups, func(x, y Group) int {
		return cmp.Or(cmp.Compare(x.Stream, y.Stream), cmp.Compare(x.Role, y.Role), cmp.Compare(x.Site, y.Site))
	})
	return out
}

// Seeders returns the last state of every seeder heard within ten minutes, ordered by id.
func (a *Aggregate) Seeders(now time.Time) []SeederReport {
	reports := make([]SeederReport, 0, len(a.seeders))
	for id, s := range a.seeders {
		if now.Sub(s.at) <= seederMemory {
			r := a.records.at(id)
			reports = append(reports, SeederReport{s.id, r.group.key.Site, s.at, r.live(a.clock(now)), s.state})
		}
	}
	slices.SortFunc(reports, func(x, y SeederReport) int { return cmp.Compare(x.ID, y.ID) })
	return reports
}

// Stream returns the sum over all sites of one stream and role.
func (s Summary) Stream(stream string, role Role) Group {
	sum := Group{GroupKey: GroupKey{Stream: stream, Role: role}}
	for _, g := range s.Groups {
		if g.Stream == stream && g.Role == role {
			sum = sum.Add(g)
		}
	}
	return sum
}

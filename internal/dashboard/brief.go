package dashboard

import (
	"fmt"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// Severities of problems, the worst first.
const (
	Critical = "critical"
	Warning  = "warning"
	Note     = "info"
)

// Problem is what is wrong with a stream, in a few words. Runbook is the name of the alert, which has a runbook; empty: there is none.
type Problem struct {
	Severity string `json:"severity"`
	Text     string `json:"text"`
	Runbook  string `json:"runbook,omitempty"`
}

// Brief is one stream in the list of many.
type Brief struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Known is false while nothing has answered for the stream; all figures are 0 then.
	Known     bool  `json:"known"`
	Live      *bool `json:"live"`
	Viewers   int   `json:"viewers"`
	Reporting int   `json:"reporting"`
	Seeders   int   `json:"seeders"`
	// Bits per second that viewers receive, and those of them that come from the origin.
	BitsPerSecond       int64    `json:"bitsPerSecond"`
	OriginBitsPerSecond int64    `json:"originBitsPerSecond"`
	Offload             *float64 `json:"offload"`
	// WorstSite is the one whose line carries most copies; WorstCopies is null where none is known.
	WorstSite   string    `json:"worstSite,omitempty"`
	WorstCopies *float64  `json:"worstCopies"`
	Overloaded  bool      `json:"overloaded,omitempty"`
	Problems    []Problem `json:"problems"`
}

// Bounds beyond which something is a problem: those of the alerts in charts/p2pstream/monitoring/rules.yaml, and of the page of
// one stream (web/dashboard/problems.ts).
const (
	manyCopies   = 2.
	manyViewers  = 10
	longStartup  = 5000. // milliseconds
	littleShared = .5
	longStalls   = .01
	fewReports   = 3
	fewViewers   = 5
	nearlyFull   = .9
)

// BriefOf makes the line of a stream of what its tracker tells. stalled is the share of their time that viewers stood still lately;
// nil: no viewer watched.
func BriefOf(namespace, name string, s stats.Stats, stalled *float64) Brief {
	b := Brief{Namespace: namespace, Name: name, Known: true, Live: s.Live, Viewers: s.Viewers, Reporting: s.Reporting, Seeders: s.Seeders,
		Offload: s.Offload.WindowRatio, Problems: []Problem{}}
	if seconds := s.Offload.WindowSeconds; seconds > 0 {
		w := s.Offload.Window
		b.BitsPerSecond = int64(8 * float64(w.HTTP+w.Seeder+w.Viewer) / seconds)
		b.OriginBitsPerSecond = int64(8 * float64(w.HTTP) / seconds)
	}
	overloaded := 0
	for _, site := range s.Sites {
		if site.Copies == nil {
			continue
		}
		bad := *site.Copies > manyCopies && site.Viewers >= manyViewers
		if bad {
			overloaded++
		}
		if b.WorstCopies == nil || bad && !b.Overloaded || bad == b.Overloaded && *site.Copies > *b.WorstCopies {
			b.WorstSite, b.WorstCopies, b.Overloaded = site.Name, site.Copies, bad
		}
	}
	b.judge(s, stalled, overloaded)
	return b
}

// judge lists the problems, the worst first.
func (b *Brief) judge(s stats.Stats, stalled *float64, overloaded int) {
	add := func(when bool, severity, runbook, text string, args ...any) {
		if when {
			b.Problems = append(b.Problems, Problem{severity, fmt.Sprintf(text, args...), runbook})
		}
	}
	fresh, held, room, behind, limited := 0, 0, 0, map[string]bool{}, true
	for _, r := range s.SeederStates {
		if !r.Fresh {
			continue
		}
		fresh++
		held, room, limited = held+r.State.Peers, room+r.State.MaxPeers, limited && r.State.MaxPeers > 0
	}
	for _, l := range s.Behind {
		behind[l.Seeder] = true
	}
	add(s.SourceProblem != "", Critical, "P2PStreamSourceUnreadable", "the origin cannot be read")
	if stalled != nil {
		add(*stalled > longStalls && b.Reporting >= fewReports, Critical, "P2PStreamViewersStall", "viewers stand still for %.1f %% of their time", 100**stalled)
	}
	add(len(s.SeederStates) > 0 && fresh == 0, Critical, "P2PStreamSeedersGone", "no seeder reports any more")
	add(overloaded == 1, Warning, "P2PStreamLineOverloaded", "the line of one site carries too many copies")
	add(overloaded > 1, Warning, "P2PStreamLineOverloaded", "the lines of %d sites carry too many copies", overloaded)
	add(s.Peerable != nil && !*s.Peerable, Warning, "P2PStreamNotShared", "viewers cannot share it")
	if w := s.Offload.RecentWaits; w != nil {
		startup := stats.PercentilesOf(w.Startup)
		add(startup.Count > 0 && startup.P95Ms > longStartup, Warning, "P2PStreamStartsSlowly", "one start of twenty takes longer than %.1f s", startup.P95Ms/1000)
	}
	add(b.Offload != nil && *b.Offload < littleShared && b.Reporting >= manyViewers, Warning, "P2PStreamOffloadLost", "little comes from peers")
	add(len(behind) > 0, Warning, "P2PStreamSeedersBehind", "seeders lack the newest segments")
	add(room > 0 && limited && float64(held) > nearlyFull*float64(room), Warning, "P2PStreamSeedersFull", "seeders are nearly full")
	add(s.Integrity != nil && s.Integrity.Checks.Wrong > 0, Warning, "P2PStreamSegmentsWrong", "viewers have refused wrong segments")
	add(b.Viewers >= fewViewers && b.Reporting == 0, Note, "P2PStreamNoTelemetry", "no viewer reports")
	add(s.Draining, Note, "", "its tracker is shutting down")
}

// worst is the rank of the worst problem, 0 for the highest.
func (b Brief) worst() int {
	if len(b.Problems) == 0 {
		return 3
	}
	switch b.Problems[0].Severity {
	case Critical:
		return 0
	case Warning:
		return 1
	}
	return 2
}

package status

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// trackerReady: one ready tracker is enough, even while its replacement does not start.
func trackerReady(m *moment) verdict {
	if m.Tracker.Ready == 0 {
		return m.missing(plan.ComponentTracker, m.Tracker)
	}
	good := yes(v1.ReasonAvailable, "The tracker answers")
	if v, ok := m.siteWarning(good); ok {
		return v
	}
	return m.warned(v1.ConditionTrackerReady, good)
}

func stunReady(m *moment) verdict {
	switch {
	case m.STUN.Wanted == 0 && m.STUNServers == 0:
		return yes(v1.ReasonDisabled, "spec.stun.enabled is false")
	case m.STUN.Wanted == 0:
		return stunAnswers(m, yes(v1.ReasonAvailable, "Viewers are given the servers of spec.stun.servers"))
	case m.STUN.Ready == 0:
		return m.missing(plan.ComponentSTUN, m.STUN)
	}
	return stunAnswers(m, m.warned(v1.ConditionSTUNReady,
		yes(v1.ReasonAvailable, fmt.Sprintf("%d of %d STUN pods are ready", min(m.STUN.Ready, m.STUN.Wanted), m.STUN.Wanted))))
}

// stunAnswers adds to a verdict which servers answer the tracker.
func stunAnswers(m *moment, v verdict) verdict {
	r := m.fresh()
	if r == nil || len(r.Stats.STUN) == 0 || v.reason != v1.ReasonAvailable {
		return v
	}
	var answer, silent []string
	for _, s := range r.Stats.STUN {
		if s.Ready {
			answer = append(answer, diagnose.Clean(s.Server))
		} else {
			silent = append(silent, diagnose.Clean(s.Server))
		}
	}
	slices.Sort(answer)
	slices.Sort(silent)
	if len(answer) == 0 {
		if m.justTrue(v1.ConditionSTUNReady) {
			return v // the tracker may not have asked yet
		}
		return yes(v1.ReasonSTUNSilent, fmt.Sprintf("%s, but %s did not answer the tracker, which asks from its pod. Viewers get servers that never answered it a minute later than others: "+
			"let the nodes reach these addresses, or set spec.stun.exposure.host or addresses, or spec.stun.servers, to some that both nodes and viewers reach", v.message, strings.Join(firstOf(silent, 4), ", ")))
	}
	text := fmt.Sprintf("%s. The tracker, which asks from its pod, got an answer from %s", v.message, strings.Join(firstOf(answer, 4), ", "))
	if len(silent) > 0 {
		text += " and none from " + strings.Join(firstOf(silent, 4), ", ")
	}
	return yes(v.reason, text+"; whether viewers outside the cluster reach it is not asked")
}

// seedersReady needs all seeders to be ready and to hold the live edge: this condition shows an origin that fails.
func seedersReady(m *moment) verdict {
	switch {
	case m.Seeders.Wanted == 0 && m.Edges.Wanted > 0:
	case m.Seeders.Wanted == 0 && m.Sized != nil:
		return yes(v1.ReasonIdle, m.Sized.Message)
	case m.Seeders.Wanted == 0:
		return yes(v1.ReasonDisabled, "spec.seeders.replicas is 0")
	case m.Seeders.Ready < m.Seeders.Wanted:
		return m.missing(plan.ComponentSeeder, m.Seeders)
	}
	if m.Edges.Ready < m.Edges.Wanted {
		return m.missing(plan.ComponentEdge, m.Edges)
	}
	r := m.fresh()
	if r != nil && len(r.Stats.Behind) > 0 && !m.justTrue(v1.ConditionSeedersReady) {
		return no(v1.ReasonBehindLiveEdge, behind(r))
	}
	if old := find(m.before.Conditions, v1.ConditionSeedersReady); r == nil && m.ReadingPending && old != nil && old.Reason == v1.ReasonBehindLiveEdge {
		return verdict{old.Status, old.Reason, old.Message} // until the tracker says otherwise
	}
	text := fmt.Sprintf("%d of %d seeders are ready", m.Seeders.Wanted, m.Seeders.Wanted)
	if n := m.Edges.Wanted; n > 0 {
		text += fmt.Sprintf(", and %d of %d at sites", n, n)
	}
	return m.warned(v1.ConditionSeedersReady, yes(v1.ReasonAvailable, text))
}

// behind names the seeders and renditions that lag. It does not say by how much: that changes with every segment, and
// each change of a status is a write.
func behind(r *Reading) string {
	var lacks []string
	for _, b := range r.Stats.Behind {
		what := "all of the stream"
		if b.Rendition != "" {
			what = "the newest segments of " + b.Rendition
		}
		lacks = append(lacks, diagnose.Clean(b.Seeder+" lacks "+what))
	}
	slices.Sort(lacks)
	text := strings.Join(firstOf(slices.Compact(lacks), 4), ", ")
	if p := diagnose.Clean(r.Stats.SourceProblem); p != "" {
		return fmt.Sprintf("%s. The tracker cannot read the manifest either: %s", text, p)
	}
	return text + ". Viewers fetch missing segments from the origin; see the seeders' logs for the origin's responses"
}

// condition of a component.
var condition = map[string]string{plan.ComponentTracker: v1.ConditionTrackerReady, plan.ComponentSTUN: v1.ConditionSTUNReady, plan.ComponentSeeder: v1.ConditionSeedersReady}

// holdsUp are the reasons of warnings for which pods may not start yet.
var holdsUp = []string{v1.ReasonAddressPending, v1.ReasonCertManagerMissing, v1.ReasonCertificateNotReady}

// missing says why too few pods of a component are ready.
func (m *moment) missing(component string, w Workload) verdict {
	noun := map[string]string{plan.ComponentTracker: "tracker", plan.ComponentSTUN: "STUN", plan.ComponentSeeder: "seeder", plan.ComponentEdge: "seeder"}[component]
	text := fmt.Sprintf("%d of %d %s pods are ready", w.Ready, w.Wanted, noun)
	if component == plan.ComponentEdge {
		text = fmt.Sprintf("%d of %d seeder pods at sites are ready", w.Ready, w.Wanted)
	}
	for _, p := range m.Problems {
		if p.Component == component {
			return no(p.Reason, text+". "+p.Message)
		}
	}
	for _, p := range m.Problems {
		if p.Component == "" && p.Stalls {
			return no(p.Reason, text+". "+p.Message)
		}
	}
	for _, w := range m.Warnings {
		if w.Condition == condition[component] && slices.Contains(holdsUp, w.Reason) {
			return no(w.Reason, text+": "+w.Message)
		}
	}
	switch {
	case !w.Exists && m.Suspended:
		return no(v1.ReasonSuspended, text+": spec.suspend is true, so none are created")
	case !w.Exists || !w.Current || w.Updated < w.Wanted || w.Pods < w.Wanted:
		return no(v1.ReasonProgressing, text+"; the others are being created")
	}
	return no(v1.ReasonUnavailable, text)
}

// warned is a good verdict with the reason of a warning of the plan: it works, but not for all viewers.
func (m *moment) warned(condition string, good verdict) verdict {
	for _, w := range m.Warnings {
		if w.Condition == condition {
			return yes(w.Reason, good.message+", but "+w.Message)
		}
	}
	return good
}

func firstOf(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), fmt.Sprintf("and %d more", len(list)-n))
}

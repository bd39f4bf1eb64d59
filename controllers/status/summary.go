package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// stalled: a user has to fix something outside of the operator. Once it is fixed, reconciliation continues without
// another change.
func stalled(m *moment) verdict {
	var found []string
	reason := ""
	for _, p := range m.Problems {
		if !p.Stalls {
			continue
		}
		if reason == "" {
			reason = p.Reason
		}
		found = append(found, p.Message)
	}
	switch len(found) {
	case 0:
		return no(v1.ReasonProgressing, "No problem needs to be fixed")
	case 1:
		return yes(reason, found[0])
	}
	return yes(reason, fmt.Sprintf("%s (and %d more: see the other conditions)", found[0], len(found)-1))
}

// reconciling: children or pods are not yet what the spec asks for, and are being created or replaced.
func reconciling(m *moment) verdict {
	if s := m.verdict[v1.ConditionStalled]; s.is(metav1.ConditionTrue) {
		return no(s.reason, "Blocked: see Stalled")
	}
	if m.Suspended {
		return no(v1.ReasonSuspended, "spec.suspend is true: running pods are kept, and nothing is changed")
	}
	for _, p := range m.Problems {
		return yes(p.Reason, p.Message) // those that stall were handled above
	}
	var waits []string
	if !m.Settled {
		waits = append(waits, "objects to be applied")
	}
	for _, c := range []struct {
		noun string
		w    Workload
	}{{"tracker", m.Tracker}, {"STUN", m.STUN}, {"seeder", m.Seeders}, {"seeder (at sites)", m.Edges}} {
		if !c.w.Complete() {
			waits = append(waits, c.noun+" pods")
		}
	}
	if len(waits) == 0 && m.UpgradeWait != "" {
		return no(v1.ReasonUpgradeWaiting, "All objects and pods are as the spec asks, but the pods are those of a former version of the operator: "+m.UpgradeWait)
	}
	if len(waits) == 0 {
		return no(v1.ReasonServing, "All objects and pods are as the spec asks")
	}
	return yes(v1.ReasonProgressing, "Waiting for "+strings.Join(waits, ", "))
}

// ready: a viewer who joined now would be served. One seeder is enough for that. The origin and the number of viewers do
// not matter.
func ready(m *moment) verdict {
	v := serving(m)
	if m.Suspended {
		v.reason = v1.ReasonSuspended
		v.message = "spec.suspend is true: nothing is changed. " + v.message
	}
	return v
}

// waking: seeders that did not run because there were no viewers are starting. Viewers begin without them.
func (m *moment) waking(seeders verdict) bool {
	return m.Sized != nil && m.Sized.Floor == 0 && (seeders.reason == v1.ReasonProgressing || seeders.reason == v1.ReasonUnavailable)
}

func serving(m *moment) verdict {
	for _, condition := range []string{v1.ConditionTrackerReady, v1.ConditionSTUNReady} {
		if part := m.verdict[condition]; !part.is(metav1.ConditionTrue) {
			return no(part.reason, part.message)
		}
	}
	if part := m.verdict[v1.ConditionSeedersReady]; m.Seeders.Wanted > 0 && m.Seeders.Ready == 0 && !m.waking(part) {
		return no(part.reason, part.message)
	}
	if s := m.verdict[v1.ConditionStalled]; s.is(metav1.ConditionTrue) {
		return yes(v1.ReasonServing, "Viewers are served by the running pods, but the current spec cannot be applied: see Stalled")
	}
	return yes(v1.ReasonServing, "Viewers are served")
}

package status

import (
	"regexp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
)

// verdict is what a condition says.
type verdict struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

func yes(reason, message string) verdict { return verdict{metav1.ConditionTrue, reason, message} }
func no(reason, message string) verdict  { return verdict{metav1.ConditionFalse, reason, message} }
func unknown(reason, message string) verdict {
	return verdict{metav1.ConditionUnknown, reason, message}
}

func (v verdict) is(status metav1.ConditionStatus) bool { return v.status == status }

// moment is what the rules of the conditions look at.
type moment struct {
	Observed
	before  v1.P2PStreamStatus
	now     time.Time
	verdict map[string]verdict // of the conditions that come earlier in the table
	network *NetworkObserved   // when it is one of a network
}

// rule is one condition.
type rule struct {
	condition string
	judge     func(*moment) verdict
}

// rules are the conditions in the order in which status shows them and in which they are judged: the last
// ones look at the others.
var rules = []rule{
	{v1.ConditionPeerable, peerable},             // can peers share this kind of stream at all?
	{v1.ConditionTrackerReady, trackerReady},     // does the tracker answer where viewers connect to it?
	{v1.ConditionSTUNReady, stunReady},           // can browsers learn their address?
	{v1.ConditionSeedersReady, seedersReady},     // are all seeders there, and do they hold the edge?
	{v1.ConditionTelemetryFresh, telemetryFresh}, // are the figures current?
	{v1.ConditionStalled, stalled},               // does a user have to fix something?
	{v1.ConditionReconciling, reconciling},       // are pods being created or replaced?
	{v1.ConditionReady, ready},                   // would a viewer who joined now be served?
}

// Types returns the types of all conditions, in the order in which status shows them.
func Types() []string { return typesOf(rules) }

// typesOf puts the summary, which rules have last, first.
func typesOf(rules []rule) []string {
	types := []string{v1.ConditionReady, v1.ConditionReconciling, v1.ConditionStalled}
	for _, r := range rules[:len(rules)-3] {
		types = append(types, r.condition)
	}
	return types
}

// attachedRules are those of a stream that names a network.
var attachedRules = func() []rule {
	own := []rule{{v1.ConditionAccepted, accepted}}
	for _, r := range rules {
		switch r.condition {
		case v1.ConditionTrackerReady:
			r.judge = attachedTrackerReady
		case v1.ConditionSTUNReady:
			r.judge = attachedSTUNReady
		}
		own = append(own, r)
	}
	return own
}()

// conditions judges all rules of a stream.
func (m *moment) conditions() []metav1.Condition {
	if m.Network != nil {
		return m.judge(attachedRules)
	}
	return m.judge(rules)
}

// judge judges rules. The time of a condition moves only when its status does.
func (m *moment) judge(rules []rule) []metav1.Condition {
	m.verdict = map[string]verdict{}
	for _, r := range rules {
		m.verdict[r.condition] = r.judge(m)
	}
	var out []metav1.Condition
	for _, condition := range typesOf(rules) {
		v := m.verdict[condition]
		c := metav1.Condition{Type: condition, Status: v.status, Reason: validReason(v.reason), Message: message(v.message),
			ObservedGeneration: m.Generation, LastTransitionTime: metav1.NewTime(m.now.Truncate(time.Second))}
		// The CRD's default for new streams has a time at which nothing happened.
		if old := find(m.before.Conditions, condition); old != nil && old.Status == c.Status && old.LastTransitionTime.Unix() > 0 {
			c.LastTransitionTime = old.LastTransitionTime
		}
		out = append(out, c)
	}
	return out
}

// keep is the verdict of the status before, or another one when there is none.
func (m *moment) keep(condition string, otherwise verdict) verdict {
	if old := find(m.before.Conditions, condition); old != nil {
		return verdict{old.Status, old.Reason, old.Message}
	}
	return otherwise
}

// settleTime is how long a condition that became True is not changed by short disturbances: pods that have just started
// may take that long to reach the live edge.
const settleTime = 20 * time.Second

// justTrue tells whether a condition was not True until a moment ago.
func (m *moment) justTrue(condition string) bool {
	old := find(m.before.Conditions, condition)
	return old == nil || (old.Reason != v1.ReasonBehindLiveEdge &&
		(old.Status != metav1.ConditionTrue || m.now.Sub(old.LastTransitionTime.Time) < settleTime))
}

func find(conditions []metav1.Condition, condition string) *metav1.Condition {
	for i := range conditions {
		if conditions[i].Type == condition {
			return &conditions[i]
		}
	}
	return nil
}

var reasonForm = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`)

// validReason replaces a reason that the API server would refuse: some come from trackers.
func validReason(reason string) string {
	if len(reason) > 128 || !reasonForm.MatchString(reason) {
		return v1.ReasonPending
	}
	return reason
}

// maxMessage is well below what the API server takes.
const maxMessage = 2048

func message(text string) string {
	if len(text) > maxMessage {
		return diagnose.Clean(text)
	}
	return text
}

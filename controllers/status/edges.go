package status

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Event reports one edge to users.
type Event struct {
	Type    string // of core/v1: Normal or Warning
	Reason  string
	Message string
}

// edgeRule is an edge that is worth an event.
type edgeRule struct {
	condition string
	bad       metav1.ConditionStatus // the status that a Warning reports
	always    bool                   // report also what was never good, and each new reason
	next      string                 // what to do, where the condition's message does not say it
	over      string                 // reason of the Normal event when it is over; empty: none
	good      string                 // what that says
}

// watched are the edges that are told of a stream.
var watched = []edgeRule{
	{v1.ConditionStalled, metav1.ConditionTrue, true, "", resumed, "The problem is fixed; reconciliation continues"},
	{v1.ConditionAccepted, metav1.ConditionFalse, true, "", v1.ReasonAccepted, "The network admits the stream"},
	{v1.ConditionReady, metav1.ConditionFalse, false, "See the other conditions of the stream, and its pods", v1.ReasonServing, "Viewers are served"},
	{v1.ConditionPeerable, metav1.ConditionFalse, true, "See docs/origins.md for what to change at the origin", v1.ReasonShareable, "Segments can be shared"},
	{v1.ConditionSeedersReady, metav1.ConditionFalse, false, "See the logs of the seeder pods", "", ""},
	{v1.ConditionTelemetryFresh, metav1.ConditionFalse, false, "See the logs of the tracker pod", "", ""},
}

// warnings are the reasons by which a condition that is True says that not all viewers are served.
var warnings = []string{v1.ReasonNotAdvertised, v1.ReasonClusterOnly, v1.ReasonInsecureEndpoint, v1.ReasonSTUNSilent, v1.ReasonLocalAddressesHidden, v1.ReasonLimited}

const resumed = "Resumed"

// edges returns the events between two statuses that follow each other.
func edges(before, after v1.P2PStreamStatus) []Event {
	events := edgesBy(watched, before, after)
	for _, now := range after.Conditions {
		warned := slices.Contains(warnings, now.Reason)
		old := find(before.Conditions, now.Type)
		// Pods that recover are no news: once there are figures, only a condition that was True before is reported.
		news := old == nil || old.Reason != now.Reason && (old.Status == metav1.ConditionTrue || before.Offload == nil)
		if warned && news {
			events = append(events, Event{corev1.EventTypeWarning, now.Reason, ending(now.Message, "")})
		}
	}
	switch now, old := suspended(after), suspended(before); {
	case now && !old:
		events = append(events, Event{corev1.EventTypeNormal, v1.ReasonSuspended, "Reconciliation is suspended: nothing is changed. Set spec.suspend to false to resume."})
	case old && !now:
		events = append(events, Event{corev1.EventTypeNormal, resumed, "Reconciliation continues: spec.suspend is false."})
	}
	return append(events, upgrades(before.Upgrade, after.Upgrade, after)...)
}

// edgesBy are the events of some conditions.
func edgesBy(rules []edgeRule, before, after v1.P2PStreamStatus) []Event {
	var events []Event
	for _, w := range rules {
		old, now := find(before.Conditions, w.condition), find(after.Conditions, w.condition)
		if old == nil {
			old = &metav1.Condition{Status: metav1.ConditionUnknown}
		}
		if now == nil {
			continue
		}
		bad, was := now.Status == w.bad, old.Status == w.bad
		switch {
		case bad && w.always && (!was || old.Reason != now.Reason),
			// Pods that are being replaced recover by themselves, and what stalls is reported above.
			bad && !was && old.Status != metav1.ConditionUnknown && now.Reason != v1.ReasonProgressing && !is(after, v1.ConditionStalled):
			events = append(events, Event{corev1.EventTypeWarning, now.Reason, ending(now.Message, w.next)})
		case !bad && was && now.Status != metav1.ConditionUnknown && w.over != "":
			events = append(events, Event{corev1.EventTypeNormal, w.over, ending(w.good, "")})
		}
	}
	return events
}

// Reasons of events about upgrades.
const (
	upgrading = "Upgrading"
	upgraded  = "Upgraded"
)

// Upgrading is the event about an upgrade that begins.
func Upgrading() Event {
	return Event{corev1.EventTypeNormal, upgrading, "The pods are being replaced by those of this version of the operator."}
}

// upgrades are the edges of an upgrade.
func upgrades(before, after *v1.UpgradeStatus, s v1.P2PStreamStatus) []Event {
	switch {
	case after == nil && before != nil && before.Phase == v1.UpgradeRunning:
		return []Event{{corev1.EventTypeNormal, upgraded, "All pods are those of this version of the operator."}}
	case after == nil, before != nil && before.Phase == after.Phase:
		return nil
	case after.Phase == v1.UpgradeRunning:
		return nil // it is told when it begins
	}
	text := "The pods are those of a former version of the operator until it is their turn"
	if c := find(s.Conditions, v1.ConditionReconciling); c != nil && c.Reason == v1.ReasonUpgradeWaiting {
		text = c.Message
	}
	return []Event{{corev1.EventTypeNormal, v1.ReasonUpgradeWaiting, ending(text, "")}}
}

func is(s v1.P2PStreamStatus, condition string) bool {
	c := find(s.Conditions, condition)
	return c != nil && c.Status == metav1.ConditionTrue
}

func suspended(s v1.P2PStreamStatus) bool {
	c := find(s.Conditions, v1.ConditionReconciling)
	return c != nil && c.Reason == v1.ReasonSuspended
}

func ending(message, next string) string {
	message = strings.TrimSuffix(message, ".")
	if next == "" {
		return message + "."
	}
	return message + ". " + next + "."
}

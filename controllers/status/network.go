package status

import (
	"fmt"
	"math"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
)

// Attached is what a stream has of its network.
type Attached struct {
	// Network is its namespace/name.
	Network string
	// Refused is why the network does not admit the stream; nil when it does.
	Refused *diagnose.Problem
	// Conditions of the network.
	Conditions []metav1.Condition
	// Above are the fields that ask for more than the network's limits.
	Above []string
	// Place that the stream holds there; nil while the network does not admit it.
	Place *v1.NetworkPlaceStatus
	// Served: a tracker of the network has the stream in its table.
	Served bool
}

// NetworkObserved is what the status of a network is made from, beside the status before.
type NetworkObserved struct {
	Observed
	// Endpoints of the plan; nil when there is no plan.
	NetworkEndpoints *v1.NetworkEndpointsStatus
	// Attached streams, and those that were refused.
	Attached []*v1.P2PStream
	Refused  int
	// Waits names streams for which the deletion of the network waits; empty when it is not to be deleted.
	Waits []string
	// HasSites: the spec has sites.
	HasSites bool
	// TableKept: the table of streams is kept for tracker pods that start while no operator runs.
	TableKept bool
	// Readings are the last ones of attached streams; of streams that have none there is nothing.
	Readings []StreamReading
}

// NetworkResult is what is to be done about the status of a network.
type NetworkResult struct {
	Status v1.P2PNetworkStatus
	Write  bool
}

// networkRules are the conditions of a network, as rules are those of a stream.
var networkRules = []rule{
	{v1.ConditionTrackerReady, networkTrackerReady},
	{v1.ConditionSTUNReady, stunReady},
	{v1.ConditionEntranceReady, entranceReady},
	{v1.ConditionSitesReady, sitesReady},
	{v1.ConditionStalled, stalled},
	{v1.ConditionReconciling, networkReconciling},
	{v1.ConditionReady, networkReady},
}

// NextNetwork makes the status that follows from what was observed of a network.
func NextNetwork(before v1.P2PNetworkStatus, o NetworkObserved, lastWrite, now time.Time) NetworkResult {
	m := &moment{Observed: o.Observed, network: &o, before: v1.P2PStreamStatus{Conditions: before.Conditions, ObservedGeneration: before.ObservedGeneration}, now: now}
	out := v1.P2PNetworkStatus{ObservedGeneration: o.Generation, Conditions: m.judge(networkRules), Endpoints: o.NetworkEndpoints,
		Streams: &v1.NetworkStreamsStatus{Attached: int32(min(len(o.Attached), math.MaxInt32)), Refused: int32(min(o.Refused, math.MaxInt32))}}
	if out.Endpoints == nil {
		out.Endpoints = before.Endpoints
	}
	if o.Controller != "" {
		out.Claim = &v1.ClaimStatus{Controller: o.Controller, RenewedAt: metav1.NewTime(now.Truncate(time.Second))}
	}
	sumStreams(&out, o.Attached)
	m.networkSites(&out, before)
	return NetworkResult{Status: out, Write: networkWorthWriting(before, out, now.Sub(lastWrite))}
}

func networkWorthWriting(before, after v1.P2PNetworkStatus, since time.Duration) bool {
	switch {
	case equality.Semantic.DeepEqual(before, after):
		return false
	case before.ObservedGeneration != after.ObservedGeneration, !equality.Semantic.DeepEqual(before.Endpoints, after.Endpoints),
		before.Streams == nil || *before.Streams != *after.Streams, turned(before.Conditions, after.Conditions), since >= idleEvery:
		return true
	case since < figuresEvery:
		return false
	}
	before.Claim, after.Claim = nil, nil
	return !equality.Semantic.DeepEqual(before, after)
}

// turned tells whether a condition has another status or reason, or speaks of another generation.
func turned(before, after []metav1.Condition) bool {
	if len(before) != len(after) {
		return true
	}
	for _, c := range after {
		old := find(before, c.Type)
		if old == nil || old.Status != c.Status || old.Reason != c.Reason || old.ObservedGeneration != c.ObservedGeneration {
			return true
		}
	}
	return false
}

// sumStreams adds up what the statuses of streams say. A stream whose viewers are not known makes the sum unknown.
func sumStreams(out *v1.P2PNetworkStatus, streams []*v1.P2PStream) {
	var viewers, peers, all int64
	var reporting int32
	known, measured := true, false
	for _, s := range streams {
		if w := s.Status.Swarm; w != nil && w.Viewers != nil {
			viewers += int64(*w.Viewers)
		} else {
			known = false
		}
		if o := s.Status.Offload; o != nil {
			measured = true
			reporting += o.Reporting
			peers += o.PeerBytes + o.SeederBytes
			all += o.PeerBytes + o.SeederBytes + o.OriginBytes
		}
	}
	if known {
		out.Viewers = count(int(min(viewers, math.MaxInt32)))
	}
	if !measured {
		return
	}
	out.Offload = &v1.NetworkOffloadStatus{Reporting: reporting}
	if all > 0 && reporting > 0 {
		percent := int32(math.Round(100 * float64(peers) / float64(all)))
		out.Offload.Percent = &percent
	}
}

func networkTrackerReady(m *moment) verdict {
	if m.Tracker.Ready == 0 {
		return m.missing("tracker", m.Tracker)
	}
	if !m.network.TableKept {
		return yes(v1.ReasonTableNotKept, "The tracker answers, but its table of streams does not fit into a ConfigMap: a tracker pod that starts while no operator runs serves none. "+
			"Use another network for some of the streams")
	}
	return yes(v1.ReasonAvailable, "The tracker answers")
}

// entranceReady: viewers have an address. What the plan warns of about the tracker is about how it is reached.
func entranceReady(m *moment) verdict {
	e := m.network.NetworkEndpoints
	for _, w := range m.Warnings {
		switch {
		case w.Condition != v1.ConditionTrackerReady || siteReasons[w.Reason]:
		case w.Reason == v1.ReasonAddressPending, w.Reason == v1.ReasonNotAdvertised,
			w.Reason == v1.ReasonGatewayAPIMissing, w.Reason == v1.ReasonGatewayNotFound, w.Unreachable, e == nil || e.URL == "":
			return no(w.Reason, "Viewers cannot reach the entrance yet: "+w.Message)
		default:
			return yes(w.Reason, "The entrance is "+e.URL+", but "+w.Message)
		}
	}
	if e == nil || e.URL == "" {
		return no(v1.ReasonProgressing, "The entrance has no address yet")
	}
	return yes(v1.ReasonAvailable, "The entrance is "+e.URL)
}

func sitesReady(m *moment) verdict {
	if !m.network.HasSites {
		return yes(v1.ReasonDisabled, "spec.sites is not set")
	}
	for _, w := range m.Warnings {
		if siteReasons[w.Reason] {
			return no(w.Reason, "Sites cannot be told: "+w.Message)
		}
	}
	good := yes(v1.ReasonAvailable, "Viewers are told apart by spec.sites")
	if v, ok := m.siteWarning(good); ok {
		return v
	}
	return good
}

func networkReconciling(m *moment) verdict {
	if waits := m.network.Waits; len(waits) > 0 {
		return yes(v1.ReasonStreamsAttached, "It is to be deleted, and waits for streams that use it: "+strings.Join(firstOf(waits, 4), ", ")+
			". Delete them, or change their spec.networkRef; until then they are served")
	}
	return reconciling(m)
}

func networkReady(m *moment) verdict {
	for _, condition := range []string{v1.ConditionTrackerReady, v1.ConditionSTUNReady, v1.ConditionEntranceReady} {
		if part := m.verdict[condition]; !part.is(metav1.ConditionTrue) {
			return no(part.reason, part.message)
		}
	}
	if s := m.verdict[v1.ConditionStalled]; s.is(metav1.ConditionTrue) {
		return yes(v1.ReasonServing, "Streams are served, but the current spec cannot be applied: see Stalled")
	}
	return yes(v1.ReasonServing, "Streams are served")
}

// accepted: the network admits the stream.
func accepted(m *moment) verdict {
	if p := m.Network.Refused; p != nil {
		return no(p.Reason, p.Message)
	}
	if above := m.Network.Above; len(above) > 0 {
		return yes(v1.ReasonLimited, acceptedText+m.Network.Network+butText+strings.Join(above, "; ")+". It gets what the network allows. "+
			"Ask for less, or ask the owners of the network to change spec.streams.limits or spec.streams.podOverrides")
	}
	return yes(v1.ReasonAccepted, acceptedText+m.Network.Network)
}

// acceptedText comes before the name of the network in the message of Accepted.
const acceptedText = "The stream uses network "

// butText comes behind it where there is more to say.
const butText = ", but "

// AcceptedBy tells whether a status says that this network, by its namespace/name, has accepted the stream.
func AcceptedBy(s v1.P2PStreamStatus, network string) bool {
	c := find(s.Conditions, v1.ConditionAccepted)
	return c != nil && c.Status == metav1.ConditionTrue && (c.Message == acceptedText+network || strings.HasPrefix(c.Message, acceptedText+network+butText))
}

// Attaching tells whether a status is that of a stream on a network, accepted or not.
func Attaching(s v1.P2PStreamStatus) bool { return find(s.Conditions, v1.ConditionAccepted) != nil }

// attachedTrackerReady: a tracker of the network serves the stream, and viewers reach it.
func attachedTrackerReady(m *moment) verdict {
	n := m.Network
	if a := m.verdict[v1.ConditionAccepted]; !a.is(metav1.ConditionTrue) {
		return no(a.reason, a.message)
	}
	for _, condition := range []string{v1.ConditionTrackerReady, v1.ConditionEntranceReady} {
		if v := m.ofNetwork(condition); !v.is(metav1.ConditionTrue) {
			return v
		}
	}
	if !n.Served {
		return no(v1.ReasonProgressing, "The tracker of network "+n.Network+" does not serve the stream yet")
	}
	if v := m.ofNetwork(v1.ConditionEntranceReady); v.reason != v1.ReasonAvailable {
		return v
	}
	return yes(v1.ReasonAvailable, "The tracker of network "+n.Network+" serves the stream")
}

func attachedSTUNReady(m *moment) verdict {
	if a := m.verdict[v1.ConditionAccepted]; !a.is(metav1.ConditionTrue) {
		return no(a.reason, a.message)
	}
	return m.ofNetwork(v1.ConditionSTUNReady)
}

// ofNetwork is what a condition of the stream's network says.
func (m *moment) ofNetwork(condition string) verdict {
	c := find(m.Network.Conditions, condition)
	if c == nil || c.Status == metav1.ConditionUnknown {
		return no(v1.ReasonProgressing, fmt.Sprintf("Network %s is being set up", m.Network.Network))
	}
	return verdict{c.Status, c.Reason, "Network " + m.Network.Network + ": " + c.Message}
}

// networkEdges are what is told of a network, as watched is of a stream.
var networkEdges = []edgeRule{
	{v1.ConditionStalled, metav1.ConditionTrue, true, "", resumed, "The problem is fixed; reconciliation continues"},
	{v1.ConditionReady, metav1.ConditionFalse, false, "See the other conditions of the network, and its pods", v1.ReasonServing, "Streams are served"},
	{v1.ConditionReconciling, metav1.ConditionTrue, false, "", "", ""},
}

// NetworkEvents are those between two statuses of a network that follow each other.
func NetworkEvents(before, after v1.P2PNetworkStatus) []Event {
	return edgesBy(networkEdges, v1.P2PStreamStatus{Conditions: before.Conditions}, v1.P2PStreamStatus{Conditions: after.Conditions})
}

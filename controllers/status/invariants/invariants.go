// Package invariants holds what every status of a stream must satisfy, whatever happened to it. Each test of the
// operator ends with it.
package invariants

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// types of the conditions that every status has once the operator has looked at the stream.
var types = []string{
	v1.ConditionReady, v1.ConditionReconciling, v1.ConditionStalled, v1.ConditionPeerable, v1.ConditionTrackerReady,
	v1.ConditionSTUNReady, v1.ConditionSeedersReady, v1.ConditionTelemetryFresh,
}

// fixable are the reasons for which a stream may stall: each names something that a user can fix.
var fixable = []string{
	v1.ReasonInvalidSpec, v1.ReasonApplyFailed, v1.ReasonContested, v1.ReasonNodePortTaken, v1.ReasonPodsForbidden,
	v1.ReasonSecretNotFound, v1.ReasonImagePullFailed, v1.ReasonCrashLooping,
	v1.ReasonNetworkNotFound, v1.ReasonNotAdmitted, v1.ReasonNetworkFull, v1.ReasonSwarmTaken,
}

var reasonForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// Status returns everything that is wrong with a stream's status, one sentence each; nothing when all is right.
// A stream that the operator has not seen yet must be in progress for kstatus.
func Status(stream *v1.P2PStream) []string {
	c := &checker{stream: stream}
	if stream.Status.ObservedGeneration == 0 {
		c.untouched()
		return c.wrong
	}
	c.conditions()
	c.summary()
	c.figures()
	c.kstatus(c.expected())
	return c.wrong
}

type checker struct {
	stream *v1.P2PStream
	wrong  []string
}

func (c *checker) must(ok bool, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *checker) get(condition string) metav1.Condition {
	for _, found := range c.stream.Status.Conditions {
		if found.Type == condition {
			return found
		}
	}
	return metav1.Condition{Type: condition}
}

func (c *checker) is(condition string, status metav1.ConditionStatus) bool {
	return c.get(condition).Status == status
}

// untouched: a stream must not look healthy before the operator has seen it.
func (c *checker) untouched() {
	c.must(c.is(v1.ConditionReady, metav1.ConditionUnknown), "a stream that no operator has seen has Ready %q", c.get(v1.ConditionReady).Status)
	c.kstatus(kstatus.InProgressStatus)
}

func (c *checker) conditions() {
	s := c.stream.Status
	count := map[string]int{}
	for _, condition := range s.Conditions {
		count[condition.Type]++
		name := condition.Type
		c.must(slices.Contains(types, name) || name == v1.ConditionAccepted, "condition %s is unknown", name)
		c.must(reasonForm.MatchString(condition.Reason), "%s has reason %q", name, condition.Reason)
		c.must(condition.Message != "", "%s has no message", name)
		c.must(len(condition.Message) <= 4096, "%s has a message of %d bytes", name, len(condition.Message))
		c.must(!strings.Contains(condition.Message, "\n"), "%s has a message of several lines", name)
		c.must(condition.ObservedGeneration == s.ObservedGeneration, "%s has observedGeneration %d, the status %d", name, condition.ObservedGeneration, s.ObservedGeneration)
		c.must(condition.LastTransitionTime.Unix() > 0, "%s has no time", name)
		known := condition.Status == metav1.ConditionTrue || condition.Status == metav1.ConditionFalse
		c.must(known || name == v1.ConditionPeerable || name == v1.ConditionTelemetryFresh, "%s is %s: the operator always knows this one", name, condition.Status)
	}
	for _, name := range types {
		c.must(count[name] == 1, "condition %s occurs %d times", name, count[name])
	}
	c.must(s.ObservedGeneration <= c.stream.Generation, "observedGeneration %d is ahead of generation %d", s.ObservedGeneration, c.stream.Generation)
}

// summary: how Ready, Reconciling and Stalled fit each other and the rest.
func (c *checker) summary() {
	ready, stalled := c.get(v1.ConditionReady), c.get(v1.ConditionStalled)
	c.must(!c.is(v1.ConditionStalled, metav1.ConditionTrue) || !c.is(v1.ConditionReconciling, metav1.ConditionTrue), "both Stalled and Reconciling are True")
	if stalled.Status == metav1.ConditionTrue {
		c.must(slices.Contains(fixable, stalled.Reason), "stalled for %s, which no user can fix", stalled.Reason)
	}
	if ready.Status == metav1.ConditionTrue {
		for _, part := range []string{v1.ConditionTrackerReady, v1.ConditionSTUNReady} {
			c.must(c.is(part, metav1.ConditionTrue), "Ready is True and %s is %s", part, c.get(part).Status)
		}
		c.must(stalled.Status != metav1.ConditionTrue || strings.Contains(ready.Message, "Stalled"), "Ready is True and does not point at Stalled: %q", ready.Message)
	}
}

// figures: what is not known is absent, and parts fit their wholes.
func (c *checker) figures() {
	s := c.stream.Status
	if c.is(v1.ConditionTelemetryFresh, metav1.ConditionUnknown) {
		c.must(s.Swarm == nil || (s.Swarm.Viewers == nil && s.Swarm.Peers == nil), "viewers are counted though they are not known: %+v", s.Swarm)
	}
	if s.Swarm != nil {
		c.must(*s.Swarm != v1.SwarmStatus{}, "swarm is an empty object, which cannot be written")
		for name, n := range map[string]*int32{"viewers": s.Swarm.Viewers, "seeders": s.Swarm.Seeders, "peers": s.Swarm.Peers} {
			c.must(n == nil || *n >= 0, "swarm.%s is negative", name)
		}
	}
	if o := s.Offload; o != nil {
		c.must(o.Percent == nil || (*o.Percent >= 0 && *o.Percent <= 100), "offload is beyond 0 to 100 percent")
		c.must(o.Percent == nil || o.Reporting > 0, "offload is shown though no viewer sends reports")
		c.must(o.ObservedAt != nil, "figures have no time")
		c.must(o.Totals != nil && o.Since != nil, "totals are missing, or when they began")
		var runs v1.OffloadTotals
		for _, r := range o.Runs {
			runs.OriginBytes += r.Counted.OriginBytes
		}
		c.must(o.Totals == nil || o.Totals.OriginBytes >= runs.OriginBytes, "the totals are less than the sum of their runs")
	}
	c.sites()
	names := map[string]bool{}
	for _, r := range s.Renditions {
		c.must(r.Name != "" && !names[r.Name], "rendition %q occurs twice, or has no name", r.Name)
		names[r.Name] = true
	}
	if e := s.Endpoints; e != nil {
		c.must(!slices.Contains(e.STUN, ""), "an empty STUN address is handed out")
	}
}

var copiesForm = regexp.MustCompile(`^([0-9]{1,7}\.[0-9]{2})?$`)

// sites: few, each once, and the worst one is one of them.
func (c *checker) sites() {
	s := c.stream.Status
	c.must(len(s.Sites) <= 51, "%d sites", len(s.Sites))
	copies := map[string]string{}
	for _, one := range s.Sites {
		_, twice := copies[one.Name]
		c.must(one.Name != "" && len(one.Name) <= 64 && !twice, "site %q occurs twice, or has no name that can be written", one.Name)
		copies[one.Name] = one.Copies
		c.must(copiesForm.MatchString(one.Copies), "site %q has %q copies", one.Name, one.Copies)
		c.must(one.Copies == "" || one.Reporting > 0, "site %q has copies though no viewer sends reports", one.Name)
		c.must(one.Viewers >= 0 && one.Reporting >= 0 && one.LineBitsPerSecond >= 0, "site %q has a negative figure", one.Name)
		for _, p := range []*int32{one.AchievedPercent, one.AchievablePercent, one.OffloadPercent} {
			c.must(p == nil || *p >= 0 && *p <= 100, "site %q has a share beyond 0 to 100 percent", one.Name)
		}
	}
	if w := s.WorstSite; w != nil {
		c.must(w.Copies != "" && copies[w.Name] == w.Copies, "the worst site is %q with %q copies, and that site has %q", w.Name, w.Copies, copies[w.Name])
	}
}

// expected is what kstatus should make of the conditions.
func (c *checker) expected() kstatus.Status {
	switch {
	case c.stream.DeletionTimestamp != nil:
		return kstatus.TerminatingStatus
	case c.stream.Status.ObservedGeneration != c.stream.Generation:
		return kstatus.InProgressStatus
	case c.is(v1.ConditionStalled, metav1.ConditionTrue):
		return kstatus.FailedStatus
	case c.is(v1.ConditionReconciling, metav1.ConditionTrue), !c.is(v1.ConditionReady, metav1.ConditionTrue):
		return kstatus.InProgressStatus
	}
	return kstatus.CurrentStatus
}

func (c *checker) kstatus(want kstatus.Status) {
	got, err := Compute(c.stream)
	c.must(err == nil, "kstatus: %v", err)
	c.must(got == want, "kstatus says %s, want %s", got, want)
}

// Compute is what tools that follow kstatus make of a stream.
func Compute(stream *v1.P2PStream) (kstatus.Status, error) {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(stream)
	if err != nil {
		return "", fmt.Errorf("converting stream: %w", err)
	}
	result, err := kstatus.Compute(&unstructured.Unstructured{Object: raw})
	if err != nil {
		return "", fmt.Errorf("computing kstatus: %w", err)
	}
	return result.Status, nil
}

// Package witness compares what the status of a stream said, version by version, with what was true: a status
// that is wrong for a moment is read in that moment.
package witness

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Sight is one version of a stream.
type Sight struct {
	At     time.Time
	Stream *v1.P2PStream
}

// Witness records every version that it is shown.
type Witness struct {
	mu     sync.Mutex
	sights []Sight
}

// See records a version.
func (w *Witness) See(s *v1.P2PStream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sights = append(w.sights, Sight{time.Now(), s})
}

// Sights are the versions seen so far, in their order.
func (w *Witness) Sights() []Sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sights)
}

// Truth is what was true from the first sight to the last: of every program at least one ran at any time, and a
// constant audience reported.
type Truth struct {
	Viewers  int32
	Seeders  int32            // at most: one at a time is replaced
	Measured v1.OffloadTotals // what these measured themselves until after the last sight
}

// Contradictions are the statements of status that were false, a line each.
func Contradictions(sights []Sight, truth Truth) []string {
	var found []string
	for i, s := range sights {
		say := func(format string, args ...any) {
			found = append(found, fmt.Sprintf("%s, version %s: %s", s.At.Format("15:04:05.000"), s.Stream.ResourceVersion, fmt.Sprintf(format, args...)))
		}
		audience(s.Stream.Status, truth, say)
		conditions(s.Stream, say)
		var before *v1.OffloadTotals
		if i > 0 && sights[i-1].Stream.Status.Offload != nil {
			before = sights[i-1].Stream.Status.Offload.Totals
		}
		offload(s.Stream.Status.Offload, before, truth, say)
		if e := s.Stream.Status.Endpoints; e == nil || e.Announce == "" || e.Config == "" || len(e.STUN) == 0 {
			say("endpoints are gone: %+v", e)
		}
	}
	return found
}

type complain func(format string, args ...any)

// audience: viewers are all there or not known, and never said to be fewer; something that is there at any time
// is never said not to be.
func audience(s v1.P2PStreamStatus, truth Truth, say complain) {
	swarm := v1.SwarmStatus{} // absent while nothing of it is known
	if s.Swarm != nil {
		swarm = *s.Swarm
	}
	fresh := meta.FindStatusCondition(s.Conditions, v1.ConditionTelemetryFresh)
	switch n := swarm.Viewers; {
	case n == nil && (fresh == nil || fresh.Status != metav1.ConditionUnknown):
		say("viewers are not known, and TelemetryFresh does not say so: %+v", fresh)
	case n != nil && *n != truth.Viewers:
		say("%d viewers, and there were %d", *n, truth.Viewers)
	}
	if n := swarm.Seeders; n != nil && (*n <= 0 || *n > truth.Seeders) {
		say("%d seeders, and there were 1 to %d", *n, truth.Seeders)
	}
	if n := swarm.Peers; n != nil && *n <= truth.Viewers {
		say("%d peers, with %d viewers", *n, truth.Viewers)
	}
	for _, r := range s.Renditions {
		if r.Peers <= 0 {
			say("%d peers of rendition %s", r.Peers, r.Name)
		}
	}
	if len(s.Renditions) == 0 {
		say("renditions are gone")
	}
}

// conditions: the stream would have served a new viewer at any time.
func conditions(s *v1.P2PStream, say complain) {
	for _, kind := range []string{v1.ConditionReady, v1.ConditionPeerable, v1.ConditionTrackerReady, v1.ConditionSTUNReady} {
		if c := meta.FindStatusCondition(s.Status.Conditions, kind); c == nil || c.Status != metav1.ConditionTrue {
			say("%s is not True: %+v", kind, c)
		}
	}
	if c := meta.FindStatusCondition(s.Status.Conditions, v1.ConditionStalled); c == nil || c.Status != metav1.ConditionFalse {
		say("Stalled is not False: %+v", c)
	}
	// One seeder at a time is replaced, and says so; none lags.
	if c := meta.FindStatusCondition(s.Status.Conditions, v1.ConditionSeedersReady); c == nil || (c.Status != metav1.ConditionTrue &&
		c.Reason != v1.ReasonProgressing && c.Reason != v1.ReasonUnavailable) {
		say("SeedersReady: %+v", c)
	}
	if c := meta.FindStatusCondition(s.Status.Conditions, v1.ConditionTelemetryFresh); c == nil ||
		(c.Reason != v1.ReasonReporting && c.Reason != v1.ReasonPending) {
		say("TelemetryFresh: %+v", c)
	}
}

// offload: totals only grow, and not beyond what was measured; figures come from all viewers.
func offload(o *v1.OffloadStatus, before *v1.OffloadTotals, truth Truth, say complain) {
	if o == nil || o.Totals == nil {
		say("status.offload is gone: %+v", o)
		return
	}
	if o.Reporting != truth.Viewers {
		say("figures come from %d of %d viewers", o.Reporting, truth.Viewers)
	}
	if o.Percent == nil {
		say("offload is not stated")
	}
	most := truth.Measured
	for _, sum := range []struct {
		name            string
		is, least, most int64
	}{
		{"originBytes", o.Totals.OriginBytes, least(before).OriginBytes, most.OriginBytes},
		{"seederBytes", o.Totals.SeederBytes, least(before).SeederBytes, most.SeederBytes},
		{"peerBytes", o.Totals.PeerBytes, least(before).PeerBytes, most.PeerBytes},
	} {
		if sum.is < sum.least {
			say("totals.%s fell from %d to %d", sum.name, sum.least, sum.is)
		}
		if sum.is > sum.most {
			say("totals.%s is %d, and viewers measured %d until long after", sum.name, sum.is, sum.most)
		}
	}
}

func least(before *v1.OffloadTotals) v1.OffloadTotals {
	if before == nil {
		return v1.OffloadTotals{}
	}
	return *before
}

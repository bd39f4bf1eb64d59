package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kstatus "sigs.k8s.io/cli-utils/pkg/kstatus/status"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/sizing"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/status/invariants"
	"github.com/p2pstream/p2pstream/controllers/totals"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// pending is the status that the CRD writes into a new stream.
func pending() v1.P2PStreamStatus {
	var s v1.P2PStreamStatus
	for _, c := range []string{v1.ConditionReady, v1.ConditionPeerable, v1.ConditionTrackerReady, v1.ConditionSTUNReady, v1.ConditionSeedersReady, v1.ConditionTelemetryFresh} {
		s.Conditions = append(s.Conditions, metav1.Condition{Type: c, Status: metav1.ConditionUnknown, Reason: v1.ReasonPending,
			Message: "Waiting for the operator", LastTransitionTime: metav1.NewTime(time.Unix(0, 0))})
	}
	return s
}

func full(n int32) status.Workload {
	return status.Workload{Wanted: n, Exists: true, Pods: n, Ready: n, Updated: n, Current: true}
}

// healthy is a stream that serves ten viewers.
func healthy(change ...func(*status.Observed)) status.Observed {
	shareable := true
	o := status.Observed{
		Generation: 1, Settled: true, Tracker: full(1), STUN: full(1), Seeders: full(2),
		Endpoints: &v1.EndpointsStatus{Announce: "wss://t.example/"}, SeederSelector: "a=b",
		Reading: &status.Reading{At: now, Stats: stats.Stats{Version: 1, Boot: "b1", ViewersKnown: true, Viewers: 10, Reporting: 8, Seeders: 2, Peers: 24,
			Peerable: &shareable, SeedersHold: true, SeedersHolding: 2,
			Renditions: []stats.Rendition{{Name: "720p", Bandwidth: 3_000_000, Peers: 24, Swarms: []stats.Swarm{{Generation: "v2.3", InfoHash: "abcdefghijklmnopqrst", Peers: 24}}}},
			Offload:    stats.Offload{WindowSeconds: 60, Window: telemetry.Counters{HTTP: 123_456, Seeder: 400_000, Viewer: 700_000}}}},
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

// next holds each status to its invariants.
func next(t *testing.T, before v1.P2PStreamStatus, o status.Observed, at time.Time) (status.Result, *v1.P2PStream) {
	t.Helper()
	r := status.Next(before, o, time.Time{}, false, at)
	stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: o.Generation}, Status: r.Status}
	for _, wrong := range invariants.Status(stream) {
		t.Error(wrong)
	}
	return r, stream
}

func condition(t *testing.T, s v1.P2PStreamStatus, name string) metav1.Condition {
	t.Helper()
	for _, c := range s.Conditions {
		if c.Type == name {
			return c
		}
	}
	t.Fatalf("no condition %s", name)
	return metav1.Condition{}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	stalls := func(component, reason string) func(*status.Observed) {
		return func(o *status.Observed) {
			o.Problems = append(o.Problems, diagnose.Problem{Component: component, Reason: reason, Stalls: true, Message: "What is wrong. What to do."})
		}
	}
	waking := func(floor int32) func(*status.Observed) {
		return func(o *status.Observed) {
			o.Seeders, o.Sized = status.Workload{Wanted: 1, Exists: true, Current: true}, &sizing.Decision{Seeders: 1, Floor: floor, Reason: v1.ScaleAudience, Message: "m"}
		}
	}
	for name, tt := range map[string]struct {
		change []func(*status.Observed)
		want   map[string]string // condition to status/reason
		k      kstatus.Status
		ready  string // part of Ready's message
	}{
		"serving": {nil, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionReconciling: "False/Serving", v1.ConditionStalled: "False/Progressing",
			v1.ConditionPeerable: "True/Shareable", v1.ConditionTrackerReady: "True/Available", v1.ConditionSTUNReady: "True/Available",
			v1.ConditionSeedersReady: "True/Available", v1.ConditionTelemetryFresh: "True/Reporting"}, kstatus.CurrentStatus, ""},
		"just created": {[]func(*status.Observed){func(o *status.Observed) {
			*o = status.Observed{Generation: 1, Tracker: status.Workload{Wanted: 1}, STUN: status.Workload{Wanted: 1}, Seeders: status.Workload{Wanted: 1}}
		}}, map[string]string{v1.ConditionReady: "False/Progressing", v1.ConditionReconciling: "True/Progressing", v1.ConditionTrackerReady: "False/Progressing",
			v1.ConditionPeerable: "Unknown/Pending", v1.ConditionTelemetryFresh: "Unknown/Pending"}, kstatus.InProgressStatus, "0 of 1 tracker pods"},
		"rolling": {[]func(*status.Observed){func(o *status.Observed) { o.Tracker.Pods = 2 }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"a template that was not seen yet": {[]func(*status.Observed){func(o *status.Observed) { o.Seeders.Current = false }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"children being written": {[]func(*status.Observed){func(o *status.Observed) { o.Settled = false }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"nothing but a tracker wanted": {[]func(*status.Observed){func(o *status.Observed) { o.STUN, o.Seeders = status.Workload{}, status.Workload{} }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSTUNReady: "True/Disabled", v1.ConditionSeedersReady: "True/Disabled", v1.ConditionReconciling: "False/Serving"}, kstatus.CurrentStatus, ""},
		"STUN servers of the spec alone": {[]func(*status.Observed){func(o *status.Observed) { o.STUN, o.STUNServers = status.Workload{}, 2 }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSTUNReady: "True/Available", v1.ConditionReconciling: "False/Serving"}, kstatus.CurrentStatus, ""},
		"what is disabled still runs": {[]func(*status.Observed){func(o *status.Observed) { o.STUN.Wanted = 0 }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSTUNReady: "True/Disabled", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"asleep": {[]func(*status.Observed){func(o *status.Observed) {
			o.Seeders, o.Sized = status.Workload{Exists: true, Current: true}, &sizing.Decision{Reason: v1.ScaleIdle, Message: "There are no viewers"}
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSeedersReady: "True/Idle", v1.ConditionReconciling: "False/Serving"}, kstatus.CurrentStatus, ""},
		"waking": {[]func(*status.Observed){waking(0)},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSeedersReady: "False/Progressing", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"the first seeder of a stream that is never without": {[]func(*status.Observed){waking(1)},
			map[string]string{v1.ConditionReady: "False/Progressing", v1.ConditionSeedersReady: "False/Progressing"}, kstatus.InProgressStatus, "0 of 1 seeder pods"},
		"cannot wake": {[]func(*status.Observed){waking(0), stalls(plan.ComponentSeeder, v1.ReasonImagePullFailed)},
			map[string]string{v1.ConditionReady: "False/ImagePullFailed", v1.ConditionSeedersReady: "False/ImagePullFailed"}, kstatus.FailedStatus, "What is wrong"},
		"one of two seeders": {[]func(*status.Observed){func(o *status.Observed) { o.Seeders.Ready = 1 }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSeedersReady: "False/Unavailable", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"one of two seeders at sites": {[]func(*status.Observed){func(o *status.Observed) {
			o.Edges = status.Workload{Wanted: 2, Exists: true, Current: true, Pods: 2, Ready: 1, Updated: 2}
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSeedersReady: "False/Unavailable", v1.ConditionReconciling: "True/Progressing"}, kstatus.InProgressStatus, ""},
		"all seeders at sites, and no others": {[]func(*status.Observed){func(o *status.Observed) {
			o.Seeders, o.Edges = status.Workload{}, status.Workload{Wanted: 2, Exists: true, Current: true, Pods: 2, Ready: 2, Updated: 2}
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSeedersReady: "True/Available", v1.ConditionReconciling: "False/Serving"}, kstatus.CurrentStatus, ""},
		"no seeder": {[]func(*status.Observed){func(o *status.Observed) { o.Seeders.Ready = 0 }},
			map[string]string{v1.ConditionReady: "False/Unavailable", v1.ConditionSeedersReady: "False/Unavailable"}, kstatus.InProgressStatus, "0 of 2 seeder pods"},
		"no STUN": {[]func(*status.Observed){func(o *status.Observed) { o.STUN.Ready = 0 }},
			map[string]string{v1.ConditionReady: "False/Unavailable", v1.ConditionSTUNReady: "False/Unavailable"}, kstatus.InProgressStatus, "0 of 1 STUN pods"},
		"a new spec that cannot be carried out, while the old one serves": {[]func(*status.Observed){stalls("", v1.ReasonInvalidSpec), func(o *status.Observed) { o.Generation = 2 }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionStalled: "True/InvalidSpec", v1.ConditionReconciling: "False/InvalidSpec"}, kstatus.FailedStatus, "see Stalled"},
		"a new image that is not there, while the old one serves": {[]func(*status.Observed){stalls(plan.ComponentTracker, v1.ReasonImagePullFailed), func(o *status.Observed) { o.Tracker.Pods = 2 }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionTrackerReady: "True/Available", v1.ConditionStalled: "True/ImagePullFailed"}, kstatus.FailedStatus, ""},
		"an image that is not there": {[]func(*status.Observed){stalls(plan.ComponentTracker, v1.ReasonImagePullFailed), func(o *status.Observed) { o.Tracker.Ready = 0 }},
			map[string]string{v1.ConditionReady: "False/ImagePullFailed", v1.ConditionTrackerReady: "False/ImagePullFailed", v1.ConditionStalled: "True/ImagePullFailed"}, kstatus.FailedStatus, "What to do"},
		"two things in the way": {[]func(*status.Observed){stalls(plan.ComponentTracker, v1.ReasonSecretNotFound), stalls(plan.ComponentSeeder, v1.ReasonCrashLooping)},
			map[string]string{v1.ConditionStalled: "True/SecretNotFound"}, kstatus.FailedStatus, ""},
		"no room on any node": {[]func(*status.Observed){func(o *status.Observed) {
			o.Seeders.Ready = 1
			o.Problems = []diagnose.Problem{{Component: plan.ComponentSeeder, Reason: v1.ReasonUnschedulable, Message: "No node. Add one."}}
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionSeedersReady: "False/Unschedulable", v1.ConditionReconciling: "True/Unschedulable", v1.ConditionStalled: "False/Progressing"}, kstatus.InProgressStatus, ""},
		"suspended and serving": {[]func(*status.Observed){func(o *status.Observed) { o.Suspended, o.Settled = true, false }},
			map[string]string{v1.ConditionReady: "True/Suspended", v1.ConditionReconciling: "False/Suspended", v1.ConditionStalled: "False/Progressing"}, kstatus.CurrentStatus, ""},
		"suspended before anything was made": {[]func(*status.Observed){func(o *status.Observed) {
			*o = status.Observed{Generation: 1, Suspended: true, Tracker: status.Workload{Wanted: 1}, STUN: status.Workload{Wanted: 1}, Seeders: status.Workload{Wanted: 1}}
		}}, map[string]string{v1.ConditionReady: "False/Suspended", v1.ConditionTrackerReady: "False/Suspended", v1.ConditionReconciling: "False/Suspended"}, kstatus.InProgressStatus, "spec.suspend is true"},
		"ws for pages on https": {[]func(*status.Observed){func(o *status.Observed) {
			o.Warnings = []plan.Warning{{Condition: v1.ConditionTrackerReady, Reason: v1.ReasonInsecureEndpoint, Message: "set tlsSecretName"}}
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionTrackerReady: "True/InsecureEndpoint"}, kstatus.CurrentStatus, ""},
		"tracker does not answer the operator": {[]func(*status.Observed){func(o *status.Observed) { o.Reading, o.ReadingProblem = nil, "asking tracker x: timeout" }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionTelemetryFresh: "False/Stale", v1.ConditionPeerable: "Unknown/Pending"}, kstatus.CurrentStatus, ""},
		"no viewers":        {[]func(*status.Observed){func(o *status.Observed) { o.Reading.Stats.Viewers, o.Reading.Stats.Reporting = 0, 0 }}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionTelemetryFresh: "True/NoViewers"}, kstatus.CurrentStatus, ""},
		"few report":        {[]func(*status.Observed){func(o *status.Observed) { o.Reading.Stats.Reporting = 1 }}, map[string]string{v1.ConditionTelemetryFresh: "True/LowCoverage"}, kstatus.CurrentStatus, ""},
		"a tracker started": {[]func(*status.Observed){func(o *status.Observed) { o.Reading.Stats.ViewersKnown = false }}, map[string]string{v1.ConditionTelemetryFresh: "Unknown/Pending"}, kstatus.CurrentStatus, ""},
		"origin away": {[]func(*status.Observed){func(o *status.Observed) { o.Reading.Stats.SourceProblem = "timeout" }},
			map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionPeerable: "True/Shareable"}, kstatus.CurrentStatus, ""},
		"origin never there": {[]func(*status.Observed){func(o *status.Observed) {
			o.Reading.Stats.Peerable, o.Reading.Stats.SourceProblem, o.Reading.Stats.Renditions = nil, "timeout", nil
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionPeerable: "Unknown/SourceUnreachable"}, kstatus.CurrentStatus, ""},
		"not to be shared": {[]func(*status.Observed){func(o *status.Observed) {
			no := false
			o.Reading.Stats.Peerable, o.Reading.Stats.Reason, o.Reading.Stats.Message = &no, v1.ReasonLiveWindowTooShort, "5 segments"
		}}, map[string]string{v1.ConditionReady: "True/Serving", v1.ConditionPeerable: "False/LiveWindowTooShort"}, kstatus.CurrentStatus, ""},
		"a reason that is none": {[]func(*status.Observed){func(o *status.Observed) {
			no := false
			o.Reading.Stats.Peerable, o.Reading.Stats.Reason, o.Reading.Stats.Message = &no, "what is this?", "no"
		}}, map[string]string{v1.ConditionPeerable: "False/Pending"}, kstatus.CurrentStatus, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, stream := next(t, pending(), healthy(tt.change...), now)
			for name, want := range tt.want {
				c := condition(t, r.Status, name)
				if got := string(c.Status) + "/" + c.Reason; got != want {
					t.Errorf("%s is %s, want %s: %s", name, got, want, c.Message)
				}
			}
			if got, err := invariants.Compute(stream); err != nil || got != tt.k {
				t.Errorf("kstatus %s, want %s (%v)", got, tt.k, err)
			}
			if c := condition(t, r.Status, v1.ConditionReady); !strings.Contains(c.Message, tt.ready) {
				t.Errorf("Ready does not say %q: %s", tt.ready, c.Message)
			}
			if !r.Write {
				t.Error("a first status is not worth a write")
			}
		})
	}
}

func TestNewStreamIsInProgress(t *testing.T) {
	t.Parallel()
	stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: 1}, Status: pending()}
	for _, wrong := range invariants.Status(stream) {
		t.Error(wrong)
	}
	// A spec that was changed and that the operator has not seen.
	_, seen := next(t, pending(), healthy(), now)
	seen.Generation = 2
	if got, _ := invariants.Compute(seen); got != kstatus.InProgressStatus {
		t.Errorf("kstatus of a new generation: %s", got)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(func(o *status.Observed) {
		o.Totals = totals.Add(totals.State{}, totals.Reading{Boot: "b1", Counted: telemetry.Counters{HTTP: 1_234_567}})
	}), now)
	s := r.Status
	if *s.Swarm.Viewers != 10 || *s.Swarm.Seeders != 2 || *s.Swarm.Peers != 24 {
		t.Errorf("swarm %+v", s.Swarm)
	}
	// 1.1 of 1.223456 MB.
	if o := s.Offload; *o.Percent != 90 || o.OriginBytes != 123_000 || o.Totals.OriginBytes != 1_234_567 || o.Reporting != 8 ||
		o.Window.Duration != time.Minute || !o.Since.Time.Equal(now) || !o.ObservedAt.Time.Equal(now) || len(o.Runs) != 1 {
		t.Errorf("offload %+v", o)
	}
	want := []v1.RenditionStatus{{Name: "720p", Bandwidth: 3_000_000, InfoHashes: map[string]string{"v2.3": "abcdefghijklmnopqrst"}, Peers: 24}}
	if diff := cmp.Diff(want, s.Renditions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&v1.SeedersStatus{Replicas: 2, Ready: 2, Selector: "a=b"}, s.Seeders); diff != "" {
		t.Error(diff)
	}
}

// TestANewOperatorKeepsWhatWasSaid looks at streams before any tracker has answered an operator that has just started.
func TestANewOperatorKeepsWhatWasSaid(t *testing.T) {
	t.Parallel()
	behind := func(o *status.Observed) {
		o.Reading.Stats.Behind = []stats.Behind{{Seeder: "a-seeder-0"}}
	}
	stale := func(o *status.Observed) { o.Reading, o.ReadingProblem = nil, "timeout" }
	asking := func(o *status.Observed) { o.Reading, o.ReadingPending = nil, true }
	changed := func(o *status.Observed) { o.Generation = 2 }
	for name, tt := range map[string]struct{ before, now []func(*status.Observed) }{
		"serving":          {nil, []func(*status.Observed){asking}},
		"behind the edge":  {[]func(*status.Observed){behind}, []func(*status.Observed){asking}},
		"out of date":      {[]func(*status.Observed){stale}, []func(*status.Observed){asking}},
		"a changed stream": {nil, []func(*status.Observed){asking, changed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, _ := next(t, pending(), healthy(), now)
			before, _ := next(t, first.Status, healthy(tt.before...), now.Add(time.Minute))
			after, _ := next(t, before.Status, healthy(tt.now...), now.Add(time.Minute+time.Second))
			for _, c := range status.Types() {
				was, is := condition(t, before.Status, c), condition(t, after.Status, c)
				if was.Status != is.Status || was.Reason != is.Reason || was.Message != is.Message {
					t.Errorf("%s was %s/%s %q, and is %s/%s %q", c, was.Status, was.Reason, was.Message, is.Status, is.Reason, is.Message)
				}
			}
			if diff := cmp.Diff(before.Status.Offload, after.Status.Offload); diff != "" {
				t.Error(diff)
			}
		})
	}
	r, _ := next(t, pending(), healthy(asking), now)
	if c := condition(t, r.Status, v1.ConditionTelemetryFresh); c.Status != metav1.ConditionUnknown || c.Reason != v1.ReasonPending {
		t.Errorf("of a new stream: %+v", c)
	}
}

// TestUnknownIsNotZero follows a stream whose tracker goes away, and comes back empty.
func TestUnknownIsNotZero(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(), now)
	serving := r.Status

	// No answer for a while: the figures stay, with their time.
	later := now.Add(time.Minute)
	r, _ = next(t, serving, healthy(func(o *status.Observed) { o.Reading.At, o.ReadingProblem = now, "timeout" }), later)
	if c := condition(t, r.Status, v1.ConditionTelemetryFresh); c.Reason != v1.ReasonStale || !strings.Contains(c.Message, "timeout") {
		t.Errorf("TelemetryFresh: %+v", c)
	}
	if r.Status.Offload == nil || *r.Status.Swarm.Viewers != 10 || !r.Status.Offload.ObservedAt.Time.Equal(now) || *r.Status.Offload.Percent != 90 {
		t.Errorf("figures of before are gone: %+v %+v", r.Status.Swarm, r.Status.Offload)
	}
	if c := condition(t, r.Status, v1.ConditionPeerable); c.Status != metav1.ConditionTrue {
		t.Errorf("Peerable: %+v", c)
	}

	// A new tracker: who is there is not known yet, and the totals go on.
	r, _ = next(t, r.Status, healthy(func(o *status.Observed) {
		o.Reading.At, o.Reading.Stats.ViewersKnown, o.Reading.Stats.Viewers = later, false, 1
		o.Reading.Stats.Peerable, o.Reading.Stats.Renditions = nil, nil
	}), later)
	if r.Status.Swarm.Viewers != nil || r.Status.Swarm.Peers != nil || r.Status.Swarm.Seeders == nil {
		t.Errorf("swarm %+v", r.Status.Swarm)
	}
	if len(r.Status.Renditions) != 1 || *r.Status.Offload.Percent != 90 {
		t.Errorf("what was known is gone: %+v", r.Status)
	}
}

// TestSeedersOfATracker: those that are there and have not come to a new tracker yet are not said to be missing, and
// those that have ended are not said to be there for as long as their last report counts.
func TestSeedersOfATracker(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		known             bool
		pods, ready       int32
		sockets, reporter int
		want              int // -1: left out
	}{
		"a new tracker, none has reconnected":         {false, 2, 2, 0, 0, -1},
		"one has":                                     {false, 2, 2, 1, 1, -1},
		"both have":                                   {false, 2, 2, 2, 2, 2},
		"one is being replaced, the other has":        {false, 2, 1, 1, 1, 1},
		"none runs":                                   {false, 2, 0, 0, 0, 0},
		"none is wanted":                              {false, 0, 0, 0, 0, 0},
		"none has come in half a minute":              {true, 2, 2, 0, 0, 0},
		"without an origin they have only reports":    {true, 2, 2, 0, 2, 2},
		"one was replaced and has reported till then": {true, 2, 2, 2, 3, 2},
		"others than the operator's":                  {true, 2, 2, 5, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := next(t, pending(), healthy(func(o *status.Observed) {
				o.Seeders.Wanted, o.Seeders.Pods, o.Seeders.Ready = tt.pods, tt.pods, tt.ready
				s := &o.Reading.Stats
				s.ViewersKnown, s.Seeders, s.SeederSockets = tt.known, max(tt.sockets, tt.reporter), tt.sockets
			}), now)
			got := -1
			if s := r.Status.Swarm; s != nil && s.Seeders != nil {
				got = int(*s.Seeders)
			}
			if got != tt.want {
				t.Errorf("%d seeders, want %d", got, tt.want)
			}
		})
	}
}

// TestSocketsComeBackLate follows an audience that no page reports for over the replacing of its tracker, with an
// operator that goes on and with one that is replaced, too.
func TestSocketsComeBackLate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		viewers, reporting int  // before
		forgets            bool // the operator is new, too
		wrote              bool // … and the one before had already written that no viewers are known
		after              time.Duration
		back, backReports  int
		want               int // -1: left out
	}{
		"none reports, none is back":                        {1000, 0, false, false, 31 * time.Second, 0, 0, -1},
		"… some are":                                        {1000, 0, false, false, 2 * time.Minute, 400, 0, -1},
		"… all are":                                         {1000, 0, false, false, 2 * time.Minute, 1000, 0, 1000},
		"… none came in time":                               {1000, 0, false, false, 331 * time.Second, 0, 0, 0},
		"half report, and are back":                         {1000, 500, false, false, time.Minute, 500, 500, -1},
		"all report, and are back":                          {1000, 1000, false, false, 31 * time.Second, 1000, 1000, 1000},
		"… some have left":                                  {1000, 1000, false, false, 31 * time.Second, 900, 900, 900},
		"… all have left":                                   {1000, 1000, false, false, 31 * time.Second, 0, 0, 0},
		"there were none":                                   {0, 0, false, false, 31 * time.Second, 0, 0, 0},
		"a new operator, none reports, none is back":        {1000, 0, true, false, 31 * time.Second, 0, 0, -1},
		"… and status says already that none is known":      {1000, 0, true, true, 31 * time.Second, 0, 0, -1},
		"a new operator, all report, and are back":          {1000, 1000, true, false, 31 * time.Second, 1000, 1000, 1000},
		"… and status says already that none is known, too": {1000, 1000, true, true, 31 * time.Second, 1000, 1000, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracker := func(boot string, up time.Duration, viewers, reporting int) func(*status.Observed) {
				return func(o *status.Observed) {
					s := &o.Reading.Stats
					s.Boot, s.StartedAt, s.Now, s.ViewersKnown = boot, now.Add(-up), now, up >= 30*time.Second
					s.Viewers, s.Reporting = viewers, reporting
				}
			}
			r, _ := next(t, pending(), healthy(tracker("old", time.Hour, tt.viewers, tt.reporting)), now)
			if got := *r.Status.Swarm.Viewers; int(got) != tt.viewers {
				t.Fatalf("%d viewers before", got)
			}
			remember := func(o *status.Observed) { o.Audience = r.Audience }
			if !tt.forgets || tt.wrote {
				r, _ = next(t, r.Status, healthy(tracker("new", time.Second, 0, 0), remember), now)
				if r.Status.Swarm.Viewers != nil {
					t.Errorf("a tracker of a second is believed: %d viewers", *r.Status.Swarm.Viewers)
				}
			}
			if tt.forgets {
				r.Audience = nil
			}
			r, _ = next(t, r.Status, healthy(tracker("new", tt.after, tt.back, tt.backReports), remember), now)
			got := -1
			if n := r.Status.Swarm.Viewers; n != nil {
				got = int(*n)
			}
			if got != tt.want {
				t.Errorf("%d viewers, want %d", got, tt.want)
			}
			if c := condition(t, r.Status, v1.ConditionTelemetryFresh); (c.Status == metav1.ConditionUnknown) != (tt.want < 0) {
				t.Errorf("TelemetryFresh: %+v", c)
			}
			// Viewers that are known to it may leave.
			if tt.want > 0 {
				r, _ = next(t, r.Status, healthy(tracker("new", tt.after, tt.back/2, tt.backReports/2), remember), now)
				if n := r.Status.Swarm.Viewers; n == nil || int(*n) != tt.back/2 {
					t.Errorf("half have left: %+v", r.Status.Swarm)
				}
			}
		})
	}
}

// TestTheFirstTracker of a stream has no viewers to wait for.
func TestTheFirstTracker(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(func(o *status.Observed) {
		s := &o.Reading.Stats
		s.StartedAt, s.Now, s.Viewers, s.Reporting = now.Add(-31*time.Second), now, 3, 0
		o.Totals = totals.Add(totals.State{}, totals.Reading{Boot: "b1", Counted: telemetry.Counters{HTTP: 1}})
	}), now)
	if n := r.Status.Swarm.Viewers; n == nil || *n != 3 {
		t.Errorf("swarm %+v", r.Status.Swarm)
	}
}

func TestHostileTracker(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(func(o *status.Observed) {
		s := &o.Reading.Stats
		s.Viewers, s.Reporting, s.Seeders, s.Peers = 1<<40, -5, -1, 1<<40
		s.Offload.WindowSeconds = -1e300
		s.Offload.Window = telemetry.Counters{HTTP: -5, Seeder: 1 << 62, Viewer: 1 << 62}
		s.Renditions = []stats.Rendition{{Name: ""}, {Name: "a\nb"}, {Name: strings.Repeat("x", 300)}, {Name: "ok", Bandwidth: -1, Peers: -3,
			Swarms: []stats.Swarm{{Generation: "v2.3", InfoHash: "\x00\x01"}, {Generation: strings.Repeat("g", 99), InfoHash: "h"}}}, {Name: "ok"}}
		for range 100 {
			s.Renditions = append(s.Renditions, stats.Rendition{Name: strings.Repeat("y", len(s.Renditions))})
		}
		s.Behind = []stats.Behind{{Seeder: strings.Repeat("z", 5000) + "\n", Rendition: "\x00"}}
	}), now)
	if len(r.Status.Renditions) != 64 || r.Status.Renditions[0].Name != "ok" || len(r.Status.Renditions[0].InfoHashes) != 0 {
		t.Errorf("%d renditions, first %+v", len(r.Status.Renditions), r.Status.Renditions[0])
	}
	if *r.Status.Swarm.Viewers != 1<<31-1 || *r.Status.Swarm.Seeders != 0 || r.Status.Offload.Window != nil {
		t.Errorf("%+v %+v", r.Status.Swarm, r.Status.Offload)
	}
}

// TestBehindLiveEdge gives seeders that have just become ready a moment to get there.
func TestBehindLiveEdge(t *testing.T) {
	t.Parallel()
	behind := func(o *status.Observed) {
		o.Reading.Stats.Behind = []stats.Behind{{Seeder: "a-seeder-1", Rendition: "720p", HeldEdge: 3, LiveEdge: 9}, {Seeder: "a-seeder-0"}}
	}
	r, _ := next(t, pending(), healthy(behind), now)
	if c := condition(t, r.Status, v1.ConditionSeedersReady); c.Status != metav1.ConditionTrue {
		t.Errorf("seeders that are just ready: %+v", c)
	}
	later := now.Add(25 * time.Second)
	r, _ = next(t, r.Status, healthy(behind, func(o *status.Observed) { o.Reading.At = later }), later)
	c := condition(t, r.Status, v1.ConditionSeedersReady)
	if c.Reason != v1.ReasonBehindLiveEdge || !strings.Contains(c.Message, "a-seeder-0 lacks all of the stream, a-seeder-1 lacks the newest segments of 720p") {
		t.Errorf("%+v", c)
	}
	if c := condition(t, r.Status, v1.ConditionReady); c.Status != metav1.ConditionTrue {
		t.Errorf("Ready depends on the origin: %+v", c)
	}
	r, _ = next(t, r.Status, healthy(behind, func(o *status.Observed) { o.Reading.At = later }), later.Add(time.Second))
	if c := condition(t, r.Status, v1.ConditionSeedersReady); c.Reason != v1.ReasonBehindLiveEdge {
		t.Errorf("it does not stay: %+v", c)
	}
}

func TestTimesMoveWithStatus(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(), now)
	r, _ = next(t, r.Status, healthy(func(o *status.Observed) { o.Tracker.Ready = 0 }), now.Add(time.Minute))
	if c := condition(t, r.Status, v1.ConditionReady); !c.LastTransitionTime.Time.Equal(now.Add(time.Minute)) {
		t.Errorf("Ready changed at %s", c.LastTransitionTime)
	}
	if c := condition(t, r.Status, v1.ConditionSTUNReady); !c.LastTransitionTime.Time.Equal(now) {
		t.Errorf("STUNReady changed at %s", c.LastTransitionTime)
	}
}

func TestEndpointsStayWithoutAPlan(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(), now)
	r, _ = next(t, r.Status, healthy(func(o *status.Observed) { o.Endpoints, o.SeederSelector = nil, "" }), now)
	if r.Status.Endpoints == nil || r.Status.Endpoints.Announce == "" || r.Status.Seeders.Selector == "" {
		t.Errorf("%+v %+v", r.Status.Endpoints, r.Status.Seeders)
	}
}

// TestWhatATrackerNotes: a stream that can be shared may still have something to mend at its origin.
func TestWhatATrackerNotes(t *testing.T) {
	t.Parallel()
	r, _ := next(t, pending(), healthy(func(o *status.Observed) {
		o.Reading.Stats.Message = "NeedsCookie: Segments are refused without a cookie."
	}), now)
	c := condition(t, r.Status, v1.ConditionPeerable)
	if c.Status != metav1.ConditionTrue || c.Reason != v1.ReasonShareable || !strings.Contains(c.Message, "NeedsCookie") {
		t.Errorf("got %+v", c)
	}
}

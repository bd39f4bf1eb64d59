package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

func TestWorthWriting(t *testing.T) {
	t.Parallel()
	first, _ := next(t, pending(), healthy(), now)
	reading := func(after time.Duration, viewers int) func(*status.Observed) {
		return func(o *status.Observed) { o.Reading.At, o.Reading.Stats.Viewers = now.Add(after), viewers }
	}
	for name, tt := range map[string]struct {
		after  time.Duration // since the last write
		change []func(*status.Observed)
		must   bool
		want   bool
	}{
		"nothing changed":                          {time.Hour, []func(*status.Observed){func(o *status.Observed) { o.Reading.At = now }}, false, true}, // stale by then: an edge
		"nothing changed, at once":                 {0, nil, false, false},
		"viewers changed, too soon":                {14 * time.Second, []func(*status.Observed){reading(14*time.Second, 12)}, false, false},
		"viewers changed":                          {15 * time.Second, []func(*status.Observed){reading(15*time.Second, 12)}, false, true},
		"nothing but the time of the figures":      {time.Minute, []func(*status.Observed){reading(time.Minute, 10)}, false, false},
		"nothing but the time, after five minutes": {5 * time.Minute, []func(*status.Observed){reading(5*time.Minute, 10)}, false, true},
		"a condition changed":                      {time.Second, []func(*status.Observed){func(o *status.Observed) { o.Seeders.Ready = 1 }}, false, true},
		"a generation was seen":                    {time.Second, []func(*status.Observed){func(o *status.Observed) { o.Generation = 2 }}, false, true},
		"an endpoint changed":                      {time.Second, []func(*status.Observed){func(o *status.Observed) { o.Endpoints = &v1.EndpointsStatus{Announce: "ws://x/"} }}, false, true},
		"totals that may not be lost": {time.Second, []func(*status.Observed){func(o *status.Observed) {
			o.Totals = totals.Add(totals.State{}, totals.Reading{Boot: "b", Counted: telemetry.Counters{HTTP: 1}})
		}}, true, true},
		"a message changed, too soon": {time.Second, []func(*status.Observed){func(o *status.Observed) { o.Reading.Stats.SourceProblem = "timeout" }}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := status.Next(first.Status, healthy(tt.change...), now, tt.must, now.Add(tt.after))
			if r.Write != tt.want {
				t.Errorf("write %t, want %t\n%s", r.Write, tt.want, cmp.Diff(first.Status, r.Status))
			}
			if !r.Write && len(r.Events) > 0 {
				t.Errorf("events of a status that is not written: %+v", r.Events)
			}
		})
	}
}

// TestEvents follows one stream through its life and wants each edge told once.
func TestEvents(t *testing.T) {
	t.Parallel()
	created := func(o *status.Observed) {
		*o = status.Observed{Generation: 1, Tracker: status.Workload{Wanted: 1}, STUN: status.Workload{Wanted: 1}, Seeders: status.Workload{Wanted: 2}}
	}
	no := false
	s := pending()
	at := now
	for _, step := range []struct {
		name   string
		change []func(*status.Observed)
		want   []string // type/reason
	}{
		{"created", []func(*status.Observed){created}, nil},
		{"serves", nil, []string{"Normal/Serving"}},
		{"serves on", nil, nil},
		{"a Secret is missing", []func(*status.Observed){func(o *status.Observed) {
			o.Problems = []diagnose.Problem{{Component: plan.ComponentSeeder, Reason: v1.ReasonSecretNotFound, Stalls: true, Message: "Secret x is not there. Create it."}}
			o.Seeders.Ready = 0
		}}, []string{"Warning/SecretNotFound"}},
		{"an image is missing instead", []func(*status.Observed){func(o *status.Observed) {
			o.Problems = []diagnose.Problem{{Component: plan.ComponentSeeder, Reason: v1.ReasonImagePullFailed, Stalls: true, Message: "No image. Load it."}}
			o.Seeders.Ready = 0
		}}, []string{"Warning/ImagePullFailed"}},
		{"all is well again", nil, []string{"Normal/Resumed", "Normal/Serving"}},
		{"a seeder dies", []func(*status.Observed){func(o *status.Observed) { o.Seeders.Ready = 1 }}, []string{"Warning/Unavailable"}},
		{"the tracker too", []func(*status.Observed){func(o *status.Observed) { o.Seeders.Ready, o.Tracker.Ready = 1, 0 }}, []string{"Warning/Unavailable"}},
		{"all are back", nil, []string{"Normal/Serving"}},
		{"not to be shared", []func(*status.Observed){func(o *status.Observed) {
			o.Reading.Stats.Peerable, o.Reading.Stats.Reason, o.Reading.Stats.Message = &no, v1.ReasonLiveWindowTooShort, "The window is too short"
		}}, []string{"Warning/LiveWindowTooShort"}},
		{"to be shared", nil, []string{"Normal/Shareable"}},
		{"seeders fall behind", []func(*status.Observed){func(o *status.Observed) { o.Reading.Stats.Behind = []stats.Behind{{Seeder: "x"}} }}, []string{"Warning/BehindLiveEdge"}},
		{"figures are old", []func(*status.Observed){func(o *status.Observed) { o.Reading, o.ReadingProblem = nil, "timeout" }}, []string{"Warning/Stale"}},
		{"and new again", nil, nil},
		{"the cluster alone reaches it", []func(*status.Observed){func(o *status.Observed) {
			o.Warnings = []plan.Warning{{Condition: v1.ConditionTrackerReady, Reason: v1.ReasonClusterOnly, Message: "expose it"}}
		}}, []string{"Warning/ClusterOnly"}},
		{"suspended", []func(*status.Observed){func(o *status.Observed) { o.Suspended = true }}, []string{"Normal/Suspended"}},
		{"resumed", nil, []string{"Normal/Resumed"}},
		{"STUN cannot be reached", []func(*status.Observed){func(o *status.Observed) {
			o.Warnings = []plan.Warning{{Condition: v1.ConditionSTUNReady, Reason: v1.ReasonNotAdvertised, Message: "expose it"}}
		}}, []string{"Warning/NotAdvertised"}},
		{"its pod goes", []func(*status.Observed){func(o *status.Observed) { o.STUN.Ready = 0 }}, []string{"Warning/Unavailable"}},
		{"and comes back", []func(*status.Observed){func(o *status.Observed) {
			o.Warnings = []plan.Warning{{Condition: v1.ConditionSTUNReady, Reason: v1.ReasonNotAdvertised, Message: "expose it"}}
		}}, []string{"Normal/Serving"}},
		{"rolling", []func(*status.Observed){func(o *status.Observed) { o.Seeders.Ready, o.Seeders.Updated = 0, 1 }}, nil},
	} {
		at = at.Add(time.Minute)
		o := healthy(step.change...)
		if o.Reading != nil {
			o.Reading.At = at
		}
		r, _ := next(t, s, o, at)
		var got []string
		for _, e := range r.Events {
			got = append(got, e.Type+"/"+e.Reason)
			if strings.Contains(e.Message, "..") || !strings.HasSuffix(e.Message, ".") {
				t.Errorf("%s: %q", step.name, e.Message)
			}
			if e.Type == corev1.EventTypeWarning && !nextStep(e.Message) {
				t.Errorf("%s: a warning without a next step: %q", step.name, e.Message)
			}
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		s = r.Status
	}
}

// nextStep tells whether a message ends with something to do.
func nextStep(message string) bool {
	last := message[strings.LastIndex(strings.TrimSuffix(message, "."), ". ")+1:]
	for _, verb := range []string{"See ", "Create ", "Load ", "let ", "expose ", "Set "} {
		if strings.Contains(last, verb) {
			return true
		}
	}
	return false
}

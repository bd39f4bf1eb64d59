package invariants

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// right is a status with which nothing is wrong.
func right() *v1.P2PStream {
	s := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: 3}, Status: v1.P2PStreamStatus{ObservedGeneration: 3}}
	for _, name := range types {
		c := metav1.Condition{Type: name, Status: metav1.ConditionTrue, Reason: "Fine", Message: "fine", ObservedGeneration: 3,
			LastTransitionTime: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
		if name == v1.ConditionStalled || name == v1.ConditionReconciling {
			c.Status = metav1.ConditionFalse
		}
		s.Status.Conditions = append(s.Status.Conditions, c)
	}
	return s
}

func TestStatus(t *testing.T) {
	t.Parallel()
	set := func(name string, change func(*metav1.Condition)) func(*v1.P2PStream) {
		return func(s *v1.P2PStream) {
			for i := range s.Status.Conditions {
				if s.Status.Conditions[i].Type == name {
					change(&s.Status.Conditions[i])
				}
			}
		}
	}
	status := func(status metav1.ConditionStatus) func(*metav1.Condition) {
		return func(c *metav1.Condition) { c.Status = status }
	}
	viewers := int32(0)
	percent := int32(50)
	for name, tt := range map[string]struct {
		change func(*v1.P2PStream)
		want   string
	}{
		"nothing wrong":  {func(*v1.P2PStream) {}, ""},
		"no condition":   {func(s *v1.P2PStream) { s.Status.Conditions = s.Status.Conditions[1:] }, "Ready occurs 0 times"},
		"one twice":      {func(s *v1.P2PStream) { s.Status.Conditions = append(s.Status.Conditions, s.Status.Conditions[0]) }, "2 times"},
		"an unknown one": {func(s *v1.P2PStream) { s.Status.Conditions[7].Type = "Other" }, "is unknown"},
		"both at a time": {func(s *v1.P2PStream) {
			set(v1.ConditionStalled, status("True"))(s)
			set(v1.ConditionReconciling, status("True"))(s)
		}, "both"},
		"stalled for nothing":            {set(v1.ConditionStalled, status("True")), "no user can fix"},
		"ready and stalled, not told":    {set(v1.ConditionStalled, func(c *metav1.Condition) { c.Status, c.Reason = "True", v1.ReasonNodePortTaken }), "does not point at"},
		"ready without a tracker":        {set(v1.ConditionTrackerReady, status("False")), "Ready is True and TrackerReady"},
		"ready unknown":                  {set(v1.ConditionReady, status("Unknown")), "always knows this one"},
		"no reason":                      {set(v1.ConditionReady, func(c *metav1.Condition) { c.Reason = "" }), "has reason"},
		"no message":                     {set(v1.ConditionReady, func(c *metav1.Condition) { c.Message = "" }), "no message"},
		"several lines":                  {set(v1.ConditionReady, func(c *metav1.Condition) { c.Message = "a\nb" }), "several lines"},
		"no time":                        {set(v1.ConditionReady, func(c *metav1.Condition) { c.LastTransitionTime = metav1.Time{} }), "has no time"},
		"a condition of before":          {set(v1.ConditionReady, func(c *metav1.Condition) { c.ObservedGeneration = 2 }), "observedGeneration 2"},
		"ahead of the spec":              {func(s *v1.P2PStream) { s.Generation = 2 }, "ahead"},
		"behind the spec is in progress": {func(s *v1.P2PStream) { s.Generation = 4 }, ""},
		"zero for unknown": {func(s *v1.P2PStream) {
			set(v1.ConditionTelemetryFresh, status("Unknown"))(s)
			s.Status.Swarm = &v1.SwarmStatus{Viewers: &viewers}
		}, "not known"},
		"offload without reports":         {func(s *v1.P2PStream) { s.Status.Offload = &v1.OffloadStatus{Percent: &percent} }, "no viewer sends reports"},
		"figures without time and totals": {func(s *v1.P2PStream) { s.Status.Offload = &v1.OffloadStatus{} }, "no time"},
		"a rendition twice":               {func(s *v1.P2PStream) { s.Status.Renditions = []v1.RenditionStatus{{Name: "a"}, {Name: "a"}} }, "twice"},
		"a site twice":                    {func(s *v1.P2PStream) { s.Status.Sites = []v1.SiteStatus{{Name: "a"}, {Name: "a"}} }, "twice"},
		"copies of nothing":               {func(s *v1.P2PStream) { s.Status.Sites = []v1.SiteStatus{{Name: "a", Copies: "1.00"}} }, "no viewer sends reports"},
		"copies that are no figure":       {func(s *v1.P2PStream) { s.Status.Sites = []v1.SiteStatus{{Name: "a", Reporting: 1, Copies: "many"}} }, "copies"},
		"a worst site that is none":       {func(s *v1.P2PStream) { s.Status.WorstSite = &v1.WorstSiteStatus{Name: "a", Copies: "2.00"} }, "the worst site"},
		"not seen yet, and called ready":  {func(s *v1.P2PStream) { s.Status.ObservedGeneration = 0 }, "no operator has seen"},
		"being deleted": {func(s *v1.P2PStream) {
			s.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := right()
			tt.change(s)
			got := Status(s)
			if tt.want == "" && len(got) > 0 {
				t.Errorf("found %q", got)
			}
			if tt.want != "" && !slices.ContainsFunc(got, func(w string) bool { return strings.Contains(w, tt.want) }) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

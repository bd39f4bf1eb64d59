package status_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// hiding is what a tracker says when so many of ten viewers of each site hide their addresses.
func hiding(hidden int, sites ...string) *stats.LocalAddresses {
	a := &stats.LocalAddresses{}
	for _, name := range sites {
		a.Sites = append(a.Sites, stats.HidingSite{Site: name, Viewers: 10, Hidden: hidden, Subnets: true})
	}
	return a
}

// TestHiddenLocalAddresses: status names the sites and what to do, sends one event, and does not change back and forth.
func TestHiddenLocalAddresses(t *testing.T) {
	t.Parallel()
	before := pending()
	at := now
	step := func(when string, a *stats.LocalAddresses, reason string, says, silent string) (events int) {
		t.Helper()
		at = at.Add(time.Minute)
		r, _ := next(t, before, healthy(func(o *status.Observed) {
			o.Reading.At = at
			o.Reading.Stats.SiteMap, o.Reading.Stats.LocalAddresses = &stats.SiteMap{Sites: 3}, a
		}), at)
		before = r.Status
		got := condition(t, r.Status, v1.ConditionTrackerReady)
		if got.Status != metav1.ConditionTrue || got.Reason != reason || !strings.Contains(got.Message, says) || silent != "" && strings.Contains(got.Message, silent) {
			t.Errorf("%s: %+v", when, got)
		}
		if ready := condition(t, r.Status, v1.ConditionReady); ready.Status != metav1.ConditionTrue {
			t.Errorf("%s: %+v", when, ready)
		}
		for _, e := range r.Events {
			if e.Reason == v1.ReasonLocalAddressesHidden {
				events++
			}
		}
		return events
	}
	step("unknown", nil, v1.ReasonAvailable, "The tracker answers", ".local")
	step("few hide theirs", hiding(4, "Berlin"), v1.ReasonAvailable, "", "Berlin")
	if n := step("half of them do", hiding(5, "Paris", "Berlin"), v1.ReasonLocalAddressesHidden, "in Berlin, Paris, so that", "more"); n != 1 {
		t.Errorf("%d events, want one", n)
	}
	if n := step("some leave", hiding(3, "Berlin"), v1.ReasonLocalAddressesHidden, "p2pstream policies", "Paris"); n != 0 {
		t.Errorf("%d events, want none", n)
	}
	step("many sites", hiding(10, "F", "E", "D", "C", "B", "A"), v1.ReasonLocalAddressesHidden, "in A, B, C, D, and 2 more, so that", "")
	// A restarted operator keeps the warning until it has read the tracker.
	r, _ := next(t, before, healthy(func(o *status.Observed) { o.Reading, o.ReadingPending = nil, true }), at.Add(time.Second))
	if got := condition(t, r.Status, v1.ConditionTrackerReady); got.Reason != v1.ReasonLocalAddressesHidden {
		t.Errorf("after a restart: %+v", got)
	}
	step("the policies are loaded", hiding(2, "Berlin"), v1.ReasonAvailable, "", "Berlin")
	one := hiding(10, "Berlin")
	one.Sites[0].Subnets = false
	step("one subnet", one, v1.ReasonAvailable, "", "Berlin")
	// What is wrong with the map itself comes first.
	at = at.Add(time.Minute)
	r, _ = next(t, before, healthy(func(o *status.Observed) {
		o.Reading.At = at
		o.Reading.Stats.SiteMap, o.Reading.Stats.LocalAddresses = &stats.SiteMap{Problem: stats.SiteMapMissing}, hiding(10, "Berlin")
	}), at)
	if got := condition(t, r.Status, v1.ConditionTrackerReady); got.Reason != v1.ReasonSiteMapMissing {
		t.Errorf("without a map: %+v", got)
	}
}

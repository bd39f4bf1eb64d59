package status

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// healthyNetwork is one with nothing to say.
func healthyNetwork(change func(*NetworkObserved)) NetworkObserved {
	pods := Workload{Wanted: 1, Exists: true, Pods: 1, Ready: 1, Updated: 1, Current: true}
	o := NetworkObserved{Observed: Observed{Generation: 2, Settled: true, Tracker: pods, STUN: pods},
		NetworkEndpoints: &v1.NetworkEndpointsStatus{URL: "https://ecdn.example.com", Announce: "wss://ecdn.example.com/announce"}, TableKept: true}
	if change != nil {
		change(&o)
	}
	return o
}

func said(conditions []metav1.Condition, condition string) string {
	if c := find(conditions, condition); c != nil {
		return string(c.Status) + "/" + c.Reason
	}
	return "absent"
}

func TestConditionsOfANetwork(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	warn := func(reason string) func(*NetworkObserved) {
		return func(o *NetworkObserved) {
			o.Warnings = []plan.Warning{{Condition: v1.ConditionTrackerReady, Reason: reason, Message: "why"}}
		}
	}
	sites := func(o *NetworkObserved) { o.HasSites = true }
	for name, c := range map[string]struct {
		change func(*NetworkObserved)
		want   map[string]string
	}{
		"healthy": {nil, map[string]string{"Ready": "True/Serving", "Reconciling": "False/Serving", "Stalled": "False/Progressing",
			"TrackerReady": "True/Available", "STUNReady": "True/Available", "EntranceReady": "True/Available", "SitesReady": "True/Disabled"}},
		"no tracker yet": {func(o *NetworkObserved) { o.Tracker = Workload{Wanted: 1} },
			map[string]string{"Ready": "False/Progressing", "TrackerReady": "False/Progressing", "Reconciling": "True/Progressing"}},
		"a table that is too large to be kept": {func(o *NetworkObserved) { o.TableKept = false },
			map[string]string{"Ready": "True/Serving", "TrackerReady": "True/TableNotKept", "EntranceReady": "True/Available"}},
		"no entrance": {func(o *NetworkObserved) { o.NetworkEndpoints = &v1.NetworkEndpointsStatus{} },
			map[string]string{"Ready": "False/Progressing", "EntranceReady": "False/Progressing", "TrackerReady": "True/Available"}},
		"a load balancer without an address": {warn(v1.ReasonAddressPending), map[string]string{"Ready": "False/AddressPending", "EntranceReady": "False/AddressPending"}},
		"inside the cluster only":            {warn(v1.ReasonClusterOnly), map[string]string{"Ready": "True/Serving", "EntranceReady": "True/ClusterOnly"}},
		"sites":                              {sites, map[string]string{"SitesReady": "True/Available"}},
		"sites behind addresses of nodes": {func(o *NetworkObserved) { sites(o); warn(v1.ReasonClientAddressesHidden)(o) },
			map[string]string{"SitesReady": "False/ClientAddressesHidden", "EntranceReady": "True/Available", "Ready": "True/Serving"}},
		"a map of sites that is missing": {func(o *NetworkObserved) {
			sites(o)
			o.SiteMap = &v1.SiteMapReference{Name: "subnets"}
			o.Reading = &Reading{At: at, Stats: stats.Stats{SiteMap: &stats.SiteMap{Problem: stats.SiteMapMissing}}}
		}, map[string]string{"SitesReady": "True/SiteMapMissing"}},
		"to be deleted": {func(o *NetworkObserved) { o.Waits = []string{"video/live"} }, map[string]string{"Ready": "True/Serving", "Reconciling": "True/StreamsAttached"}},
		"stalled": {func(o *NetworkObserved) {
			o.Problems = []diagnose.Problem{{Reason: v1.ReasonInvalidSpec, Message: "spec.tracker is wrong", Stalls: true}}
		}, map[string]string{"Stalled": "True/InvalidSpec", "Reconciling": "False/InvalidSpec", "Ready": "True/Serving"}},
	} {
		out := NextNetwork(v1.P2PNetworkStatus{}, healthyNetwork(c.change), time.Time{}, at)
		if !out.Write || len(out.Status.Conditions) != 7 {
			t.Errorf("%s: write %v, %d conditions", name, out.Write, len(out.Status.Conditions))
		}
		for condition, want := range c.want {
			if got := said(out.Status.Conditions, condition); got != want {
				t.Errorf("%s: %s is %s, want %s", name, condition, got, want)
			}
		}
	}
}

func TestWhenANetworkIsWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	stream := func(viewers int32) *v1.P2PStream {
		return &v1.P2PStream{Status: v1.P2PStreamStatus{Swarm: &v1.SwarmStatus{Viewers: &viewers},
			Offload: &v1.OffloadStatus{Reporting: viewers, SeederBytes: 10, PeerBytes: 80, OriginBytes: 10}}}
	}
	o := healthyNetwork(func(o *NetworkObserved) {
		o.Controller, o.Attached, o.Refused = "system/manager", []*v1.P2PStream{stream(7), stream(5)}, 1
	})
	first := NextNetwork(v1.P2PNetworkStatus{}, o, time.Time{}, at)
	s := first.Status
	if *s.Viewers != 12 || *s.Offload.Percent != 90 || s.Offload.Reporting != 12 || *s.Streams != (v1.NetworkStreamsStatus{Attached: 2, Refused: 1}) {
		t.Errorf("%+v %+v", s, s.Offload)
	}
	if next := NextNetwork(s, o, at, at.Add(time.Minute)); next.Write {
		t.Error("written although only the time of the claim has changed")
	}
	if next := NextNetwork(s, o, at, at.Add(idleEvery)); !next.Write {
		t.Error("the claim is not renewed")
	}
	o.Attached[0] = stream(8)
	if next := NextNetwork(s, o, at, at.Add(figuresEvery-time.Second)); next.Write {
		t.Error("figures are written too often")
	}
	if next := NextNetwork(s, o, at, at.Add(figuresEvery)); !next.Write {
		t.Error("figures are not written")
	}
	o.Attached = append(o.Attached, &v1.P2PStream{})
	next := NextNetwork(s, o, at, at.Add(time.Second))
	if !next.Write || next.Status.Viewers != nil {
		t.Errorf("a stream more: write %v; its viewers are not known, and the sum says %v", next.Write, next.Status.Viewers)
	}
}

func TestConditionsOfAnAttachedStream(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	network := NextNetwork(v1.P2PNetworkStatus{}, healthyNetwork(nil), time.Time{}, at).Status.Conditions
	pending := NextNetwork(v1.P2PNetworkStatus{}, healthyNetwork(func(o *NetworkObserved) { o.STUN.Ready = 0 }), time.Time{}, at).Status.Conditions
	seeders := Workload{Wanted: 1, Exists: true, Pods: 1, Ready: 1, Updated: 1, Current: true}
	for name, c := range map[string]struct {
		attached Attached
		want     map[string]string
	}{
		"served": {Attached{Conditions: network, Served: true}, map[string]string{"Accepted": "True/Accepted", "Ready": "True/Serving", "TrackerReady": "True/Available", "STUNReady": "True/Available", "Reconciling": "False/Serving"}},
		"not served yet": {Attached{Conditions: network},
			map[string]string{"Accepted": "True/Accepted", "Ready": "False/Progressing", "TrackerReady": "False/Progressing"}},
		"a network that is being set up": {Attached{}, map[string]string{"Accepted": "True/Accepted", "Ready": "False/Progressing"}},
		"without STUN servers":           {Attached{Conditions: pending, Served: true}, map[string]string{"TrackerReady": "True/Available", "STUNReady": "False/Unavailable", "Ready": "False/Unavailable"}},
		"refused": {Attached{Refused: &diagnose.Problem{Reason: v1.ReasonNotAdmitted, Message: "no", Stalls: true}},
			map[string]string{"Accepted": "False/NotAdmitted", "Ready": "False/NotAdmitted", "TrackerReady": "False/NotAdmitted", "Stalled": "True/NotAdmitted"}},
	} {
		c.attached.Network = "ecdn/corp"
		o := Observed{Generation: 1, Settled: true, Seeders: seeders, Network: &c.attached}
		if c.attached.Refused != nil {
			o.Problems = []diagnose.Problem{*c.attached.Refused}
		}
		before := v1.P2PStreamStatus{Endpoints: &v1.EndpointsStatus{Announce: "wss://old.example.com/announce"}}
		out := Next(before, o, time.Time{}, false, at)
		for condition, want := range c.want {
			if got := said(out.Status.Conditions, condition); got != want {
				t.Errorf("%s: %s is %s, want %s", name, condition, got, want)
			}
		}
		if refused := c.attached.Refused != nil; refused != (out.Status.Endpoints == nil) {
			t.Errorf("%s: endpoints %v", name, out.Status.Endpoints)
		}
		told := false
		for _, e := range out.Events {
			told = told || e.Reason == v1.ReasonNotAdmitted && strings.Contains(e.Message, "no")
		}
		if told != (c.attached.Refused != nil) {
			t.Errorf("%s: events %v", name, out.Events)
		}
	}
}

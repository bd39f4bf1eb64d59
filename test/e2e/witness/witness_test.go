package witness

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var truth = Truth{Viewers: 20, Seeders: 2, Measured: v1.OffloadTotals{OriginBytes: 100, SeederBytes: 200, PeerBytes: 300}}

// honest is a status that is true.
func honest(change ...func(*v1.P2PStreamStatus)) Sight {
	s := v1.P2PStreamStatus{
		Endpoints:  &v1.EndpointsStatus{Announce: "ws://t/", Config: "http://t/v1/config", STUN: []string{"stun:t:3478"}},
		Renditions: []v1.RenditionStatus{{Name: "240p", Peers: 42}},
		Swarm:      &v1.SwarmStatus{Viewers: new(int32(20)), Seeders: new(int32(2)), Peers: new(int32(42))},
		Offload: &v1.OffloadStatus{Percent: new(int32(99)), Reporting: 20,
			Totals: &v1.OffloadTotals{OriginBytes: 10, SeederBytes: 20, PeerBytes: 30}},
	}
	for condition, reason := range map[string]string{
		v1.ConditionReady: v1.ReasonServing, v1.ConditionPeerable: v1.ReasonShareable, v1.ConditionTrackerReady: v1.ReasonAvailable,
		v1.ConditionSTUNReady: v1.ReasonAvailable, v1.ConditionSeedersReady: v1.ReasonAvailable, v1.ConditionTelemetryFresh: v1.ReasonReporting,
	} {
		s.Conditions = append(s.Conditions, metav1.Condition{Type: condition, Status: metav1.ConditionTrue, Reason: reason})
	}
	s.Conditions = append(s.Conditions, metav1.Condition{Type: v1.ConditionStalled, Status: metav1.ConditionFalse, Reason: v1.ReasonProgressing})
	for _, c := range change {
		c(&s)
	}
	return Sight{At: time.Unix(0, 0), Stream: &v1.P2PStream{Status: s}}
}

func judge(condition string, status metav1.ConditionStatus, reason string) func(*v1.P2PStreamStatus) {
	return func(s *v1.P2PStreamStatus) {
		for i := range s.Conditions {
			if c := &s.Conditions[i]; c.Type == condition {
				c.Status, c.Reason = status, reason
			}
		}
	}
}

// TestContradictions: every false statement is found, and what is not known may be left out.
func TestContradictions(t *testing.T) {
	t.Parallel()
	type change = func(*v1.P2PStreamStatus)
	unknown := func(s *v1.P2PStreamStatus) { s.Swarm = nil }
	for name, tt := range map[string]struct {
		changes []change
		want    string // part of what is found; empty: nothing is
	}{
		"as it is":                          {nil, ""},
		"a tracker that knows no peers yet": {[]change{unknown, judge(v1.ConditionTelemetryFresh, metav1.ConditionUnknown, v1.ReasonPending)}, ""},
		"one seeder is replaced":            {[]change{judge(v1.ConditionSeedersReady, metav1.ConditionFalse, v1.ReasonProgressing)}, ""},
		"no viewers":                        {[]change{func(s *v1.P2PStreamStatus) { s.Swarm.Viewers = new(int32(0)) }}, "0 viewers"},
		"one too few":                       {[]change{func(s *v1.P2PStreamStatus) { s.Swarm.Viewers = new(int32(19)) }}, "19 viewers"},
		"one too many":                      {[]change{func(s *v1.P2PStreamStatus) { s.Swarm.Viewers = new(int32(21)) }}, "21 viewers"},
		"not known, and said to be":         {[]change{unknown}, "TelemetryFresh does not say so"},
		"no seeders":                        {[]change{func(s *v1.P2PStreamStatus) { s.Swarm.Seeders = new(int32(0)) }}, "0 seeders"},
		"a third seeder":                    {[]change{func(s *v1.P2PStreamStatus) { s.Swarm.Seeders = new(int32(3)) }}, "3 seeders"},
		"fewer memberships than people":     {[]change{func(s *v1.P2PStreamStatus) { s.Swarm.Peers = new(int32(4)) }}, "4 peers"},
		"no peers of a rendition":           {[]change{func(s *v1.P2PStreamStatus) { s.Renditions[0].Peers = 0 }}, "rendition 240p"},
		"no renditions":                     {[]change{func(s *v1.P2PStreamStatus) { s.Renditions = nil }}, "renditions are gone"},
		"no audience":                       {[]change{func(s *v1.P2PStreamStatus) { s.Swarm = nil }}, "viewers are not known"},
		"no endpoints":                      {[]change{func(s *v1.P2PStreamStatus) { s.Endpoints = nil }}, "endpoints are gone"},
		"no STUN server":                    {[]change{func(s *v1.P2PStreamStatus) { s.Endpoints.STUN = nil }}, "endpoints are gone"},
		"not ready":                         {[]change{judge(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonUnavailable)}, "Ready is not True"},
		"not to be shared":                  {[]change{judge(v1.ConditionPeerable, metav1.ConditionUnknown, v1.ReasonPending)}, "Peerable is not True"},
		"stalled":                           {[]change{judge(v1.ConditionStalled, metav1.ConditionTrue, v1.ReasonInvalidSpec)}, "Stalled is not False"},
		"seeders that lag":                  {[]change{judge(v1.ConditionSeedersReady, metav1.ConditionFalse, v1.ReasonBehindLiveEdge)}, "SeedersReady"},
		"status says no viewers":            {[]change{judge(v1.ConditionTelemetryFresh, metav1.ConditionTrue, v1.ReasonNoViewers)}, "TelemetryFresh"},
		"no offload":                        {[]change{func(s *v1.P2PStreamStatus) { s.Offload = nil }}, "status.offload is gone"},
		"figures of no viewer":              {[]change{func(s *v1.P2PStreamStatus) { s.Offload.Reporting = 0 }}, "0 of 20 viewers"},
		"no percent":                        {[]change{func(s *v1.P2PStreamStatus) { s.Offload.Percent = nil }}, "offload is not stated"},
		"more from the origin than came":    {[]change{func(s *v1.P2PStreamStatus) { s.Offload.Totals.OriginBytes = 101 }}, "totals.originBytes is 101"},
		"more from seeders than came":       {[]change{func(s *v1.P2PStreamStatus) { s.Offload.Totals.SeederBytes = 201 }}, "totals.seederBytes is 201"},
		"more from other viewers than came": {[]change{func(s *v1.P2PStreamStatus) { s.Offload.Totals.PeerBytes = 301 }}, "totals.peerBytes is 301"},
		"totals that fall":                  {[]change{func(s *v1.P2PStreamStatus) { s.Offload.Totals.PeerBytes = 29 }}, "totals.peerBytes fell from 30 to 29"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := strings.Join(Contradictions([]Sight{honest(), honest(tt.changes...)}, truth), "\n")
			if (found == "") != (tt.want == "") || !strings.Contains(found, tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
		})
	}
}

func TestWitnessKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var w Witness
	for _, version := range []string{"1", "2", "3"} {
		w.See(&v1.P2PStream{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}})
	}
	var got []string
	for _, s := range w.Sights() {
		got = append(got, s.Stream.ResourceVersion)
	}
	if strings.Join(got, "") != "123" {
		t.Errorf("saw %v", got)
	}
}

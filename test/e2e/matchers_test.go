//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// TestMatchers tests the matchers of the specs on streams that match or do not, and that a
// failure says why. It needs no cluster.
func TestMatchers(t *testing.T) {
	s := stream("town-hall", "http://origin/master.m3u8")
	s.Generation = 2
	s.Status.Conditions = []metav1.Condition{
		{Type: v1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1.ReasonSecretNotFound, ObservedGeneration: 2},
		{Type: v1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1.ReasonSecretNotFound, ObservedGeneration: 2, Message: "Secret later-tls is missing"},
		{Type: v1.ConditionPeerable, Status: metav1.ConditionTrue, Reason: v1.ReasonShareable, ObservedGeneration: 1},
	}
	s.Status.Swarm = &v1.SwarmStatus{Viewers: new(int32(7))}
	for name, tt := range map[string]struct {
		matcher interface {
			Match(actual any) (bool, error)
			FailureMessage(actual any) string
		}
		want bool
		says string
	}{
		"a condition it has":            {HaveCondition(v1.ConditionReady, metav1.ConditionFalse, v1.ReasonSecretNotFound), true, ""},
		"another status":                {BeReady(), false, "Ready=False SecretNotFound"},
		"of another generation":         {HaveCondition(v1.ConditionPeerable, metav1.ConditionTrue, ""), false, "of generation 2"},
		"stalled as it should be":       {BeStalled(v1.ReasonSecretNotFound, "later-tls"), true, ""},
		"stalled with another message":  {BeStalled(v1.ReasonSecretNotFound, "other-tls"), false, `"other-tls"`},
		"stalled for another reason":    {BeStalled(v1.ReasonNodePortTaken, ""), false, "Secret later-tls is missing"},
		"not waiting when stalled":      {BeWaiting(v1.ReasonSecretNotFound, "later-tls"), false, "Reconciling=True"},
		"its viewers":                   {HaveViewers(7), true, ""},
		"other viewers":                 {HaveViewers(8), false, "8"},
		"totals that are not there yet": {addUpTo(v1.OffloadTotals{SeederBytes: 1}), false, "no totals"},
	} {
		got, err := tt.matcher.Match(s)
		if err != nil || got != tt.want {
			t.Errorf("%s: %t, %v, want %t", name, got, err, tt.want)
		}
		if got {
			continue
		}
		if message := tt.matcher.FailureMessage(s); !strings.Contains(message, tt.says) {
			t.Errorf("%s: the failure says %q, want it to name %q", name, message, tt.says)
		}
	}
	for _, tt := range []struct {
		percent int64
		want    bool
	}{{100, true}, {99, true}, {101, true}, {97, false}, {103, false}} {
		s.Status.Offload = &v1.OffloadStatus{Totals: &v1.OffloadTotals{SeederBytes: 1000 * tt.percent}}
		if got, err := addUpTo(v1.OffloadTotals{SeederBytes: 100_000}).Match(s); err != nil || got != tt.want {
			t.Errorf("totals of %d %%: %t, %v, want %t", tt.percent, got, err, tt.want)
		}
	}
}

package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// TestViewersAreRememberedForUpgrades: the order of upgrades goes by what was known of an audience last, while a tracker that has just
// been replaced does not know yet who watches.
func TestViewersAreRememberedForUpgrades(t *testing.T) {
	t.Parallel()
	ready := []metav1.Condition{{Type: v1.ConditionReady, Status: metav1.ConditionTrue}}
	count := func(n int32) *v1.SwarmStatus { return &v1.SwarmStatus{Viewers: &n} }
	reading := func(viewers int, known bool) *snapshot {
		return &snapshot{reading: &status.Reading{Stats: stats.Stats{Viewers: viewers, ViewersKnown: known}}}
	}
	n := &run{stream: &v1.P2PStream{}, snapshot: &snapshot{}, memory: &memory{}}
	for _, step := range []struct {
		what  string
		swarm *v1.SwarmStatus
		seen  *snapshot
		want  int
	}{
		{"nothing is known of a stream that serves", nil, &snapshot{}, 1},
		{"what the operator before wrote", count(50), &snapshot{}, 50},
		{"a new tracker, and no figure in status", nil, reading(0, false), 50},
		{"a new tracker that knows some", count(3), reading(3, false), 50},
		{"it knows all", count(40), reading(40, true), 40},
		{"they have left", count(0), reading(0, true), 0},
		{"no tracker answers", nil, &snapshot{}, 0},
	} {
		n.stream.Status = v1.P2PStreamStatus{Swarm: step.swarm, Conditions: ready}
		n.snapshot = step.seen
		if got := n.viewers(); got != step.want {
			t.Errorf("%s: %d viewers, want %d", step.what, got, step.want)
		}
	}
}

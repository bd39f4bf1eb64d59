package diagnose

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// TestPatience turns a clock through a rollout: a problem that may heal stalls after the grace period, others at once.
func TestPatience(t *testing.T) {
	t.Parallel()
	const grace = 2 * time.Minute
	pull := Problem{Component: "seeder", Reason: v1.ReasonImagePullFailed, Stalls: true, Heals: true}
	port := Problem{Component: "tracker", Reason: v1.ReasonNodePortTaken, Stalls: true}
	waits := Problem{Component: "stun", Reason: v1.ReasonUnschedulable, Heals: true}
	failing := map[string]bool{"seeder": true, "tracker": true, "stun": true}
	for name, steps := range map[string][]struct {
		at         time.Duration
		generation int64
		problems   []Problem
		failing    map[string]bool
		already    string
		stalls     []bool
	}{
		"what may heal stalls after the grace period": {
			{at: 0, problems: []Problem{pull, port, waits}, stalls: []bool{false, true, false}},
			{at: grace - time.Second, problems: []Problem{pull, waits}, stalls: []bool{false, false}},
			{at: grace, problems: []Problem{pull, waits}, stalls: []bool{true, false}},
		},
		"a crash between two starts does not begin again": {
			{at: 0, problems: []Problem{pull}, stalls: []bool{false}},
			{at: time.Minute},
			{at: grace, problems: []Problem{pull}, stalls: []bool{true}},
		},
		"a component that was complete begins again": {
			{at: 0, problems: []Problem{pull}, stalls: []bool{false}},
			{at: time.Minute, failing: map[string]bool{"tracker": true}},
			{at: grace, problems: []Problem{pull}, stalls: []bool{false}},
			{at: time.Minute + 2*grace, problems: []Problem{pull}, stalls: []bool{true}},
		},
		"a changed spec begins again": {
			{at: 0, generation: 1, problems: []Problem{pull}, stalls: []bool{false}},
			{at: grace, generation: 2, problems: []Problem{pull}, stalls: []bool{false}},
			{at: 2 * grace, generation: 2, problems: []Problem{pull}, stalls: []bool{true}},
		},
		"an operator that starts does not take back what it finds": {
			{at: 0, problems: []Problem{pull}, already: v1.ReasonImagePullFailed, stalls: []bool{true}},
		},
		"it does not take over another reason": {
			{at: 0, problems: []Problem{pull}, already: v1.ReasonNodePortTaken, stalls: []bool{false}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p Patience
			for _, step := range steps {
				if step.failing == nil {
					step.failing = failing
				}
				got := p.Hold(step.problems, step.generation, step.failing, step.already, grace, start.Add(step.at))
				if len(got) != len(step.problems) {
					t.Fatalf("at %s: %d problems of %d", step.at, len(got), len(step.problems))
				}
				for i := range got {
					if got[i].Stalls != step.stalls[i] {
						t.Errorf("at %s: %s stalls: %t", step.at, got[i].Reason, got[i].Stalls)
					}
				}
			}
		})
	}
}

// TestWhatHeals: what only a change of the spec or the namespace can fix stalls at once.
func TestWhatHeals(t *testing.T) {
	t.Parallel()
	for reason, heals := range map[string]bool{"ErrImagePull": true, "ImagePullBackOff": true, "ErrImageNeverPull": true, "InvalidImageName": false,
		"CrashLoopBackOff": true, "CreateContainerConfigError": true} {
		p := pod(waiting(reason, ""))
		got := notStarting(&p, p.Status.ContainerStatuses[0], "seeder")
		if got == nil || !got.Stalls || got.Heals != heals {
			t.Errorf("%s: %+v", reason, got)
		}
	}
	for text, heals := range map[string]bool{"exceeded quota: no-room": true, `error looking up service account media/default: serviceaccount "default" not found`: true,
		`violates PodSecurity "restricted:latest"`: false} {
		got := refused(Input{Wanted: 1, Owner: Object{Kind: "StatefulSet", Name: "a-seeder", UID: "u"},
			Events: []corev1.Event{event("FailedCreate", text, "a-seeder", 1)}})
		if got == nil || !got.Stalls || got.Heals != heals {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

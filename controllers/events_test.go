package controllers

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// eventServer is an API server that is asked for events only.
type eventServer struct {
	client.Reader
	asked  int
	err    error
	events []corev1.Event
}

func (s *eventServer) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	s.asked++
	list.(*corev1.EventList).Items = s.events
	return s.err
}

// TestEventsAreReadWithGrowingPauses reads events at once, then ever less often, and at once again when the pod has
// changed. In between a diagnosis has those that were read last.
func TestEventsAreReadWithGrowingPauses(t *testing.T) {
	t.Parallel()
	now := noon
	server := &eventServer{events: []corev1.Event{{Reason: "FailedMount"}, {Reason: "Scheduled"}}}
	r := NewReconciler(Options{Live: server, Now: func() time.Time { return now }})
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "u", ResourceVersion: "1"},
		Spec: corev1.PodSpec{NodeName: "n"}, Status: corev1.PodStatus{Phase: corev1.PodPending}}
	n := &run{stream: &v1.P2PStream{}, memory: &memory{}}
	// seconds of runs, one each second, and the times at which events were read.
	reads := func(seconds int) (at []string) {
		t.Helper()
		for i := range seconds {
			before := server.asked
			s := &snapshot{pods: map[string][]corev1.Pod{plan.ComponentTracker: {pod}}, waiting: map[string]diagnose.Input{}}
			s.waiting[plan.ComponentTracker] = diagnose.Input{Component: plan.ComponentTracker, Pods: s.pods[plan.ComponentTracker]}
			r.readEvents(t.Context(), n, s)
			if server.asked > before {
				at = append(at, fmt.Sprint(i))
			}
			if got := s.waiting[plan.ComponentTracker].Events; server.err == nil && (len(got) != 1 || got[0].Reason != "FailedMount") {
				t.Fatalf("after %d s: %d events", i, len(got))
			}
			now = now.Add(time.Second)
		}
		return at
	}
	if diff := cmp.Diff([]string{"0", "2", "6", "14", "30", "62", "122", "182"}, reads(200)); diff != "" {
		t.Error(diff)
	}
	pod.ResourceVersion = "2"
	if diff := cmp.Diff([]string{"0", "2"}, reads(4)); diff != "" {
		t.Errorf("after the pod changed: %s", diff)
	}
	if due := n.memory.eventsDue().Sub(noon); due != 206*time.Second {
		t.Errorf("due after %s", due)
	}
	pod.ResourceVersion, server.err = "3", errors.New("forbidden")
	if diff := cmp.Diff([]string{"0", "2", "6"}, reads(10)); diff != "" {
		t.Errorf("when they cannot be read: %s", diff)
	}
	pod.Status.Phase = corev1.PodRunning
	server.err = nil
	r.readEvents(t.Context(), n, &snapshot{waiting: map[string]diagnose.Input{plan.ComponentTracker: {Pods: []corev1.Pod{pod}}}})
	if len(n.memory.events) > 0 || !n.memory.eventsDue().IsZero() {
		t.Errorf("kept of a pod that runs: %+v", n.memory.events)
	}
}

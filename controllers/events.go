package controllers

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

const (
	// maxEvents that are read about one object.
	maxEvents = 50
	// firstEventPause is how long after the first reading of an object's events the second follows. Each pause is twice
	// as long as the one before, up to maxEventPause.
	firstEventPause = 2 * time.Second
	maxEventPause   = time.Minute
)

// eventMemory is what is kept of the events about one object while it waits.
type eventMemory struct {
	version string    // of the object when they were read
	due     time.Time // when they are read again, unless the object changes first
	pause   time.Duration
	events  []corev1.Event
}

// readEvents adds the events that say why pods wait to what waits. They are read from the API server itself, since a
// cache of all events of a cluster would be the largest thing in this program, and with growing pauses, since pods may
// wait for days: at once when an object begins to wait or changes, and then ever less often.
func (r *Reconciler) readEvents(ctx context.Context, n *run, s *snapshot) {
	before, now := n.memory.events, r.Now()
	kept := map[types.UID]*eventMemory{}
	for component, in := range s.waiting {
		for _, about := range diagnose.Ask(in) {
			version := s.version(component, about)
			m := before[about.UID]
			if m == nil || m.version != version {
				m = &eventMemory{version: version}
			}
			if !now.Before(m.due) {
				m.events = r.listEvents(ctx, n.stream.Namespace, about)
				m.pause = min(max(2*m.pause, firstEventPause), maxEventPause)
				m.due = now.Add(m.pause)
			}
			kept[about.UID] = m
			in.Events = append(in.Events, m.events...)
		}
		s.waiting[component] = in
	}
	n.memory.events = kept
}

// listEvents asks the API server for the events about an object that a diagnosis can use.
func (r *Reconciler) listEvents(ctx context.Context, namespace string, about diagnose.Object) []corev1.Event {
	var list corev1.EventList
	err := r.Live.List(ctx, &list, client.InNamespace(namespace), client.Limit(maxEvents),
		client.MatchingFieldsSelector{Selector: fields.Set{"involvedObject.uid": string(about.UID)}.AsSelector()})
	r.Metrics.eventsRead(err)
	if err != nil {
		// A diagnosis is worth having, but a run should not fail without it.
		logger(ctx).V(1).Info("events cannot be read", "about", about.Name, "error", err.Error())
		return nil
	}
	var useful []corev1.Event
	for _, e := range list.Items {
		if diagnose.Uses(e.Reason) {
			e.ManagedFields = nil
			useful = append(useful, e)
		}
	}
	return useful
}

// version changes with the object, and with the number of pods that a workload has.
func (s *snapshot) version(component string, about diagnose.Object) string {
	if o := s.children[plan.Ref{Kind: about.Kind, Name: about.Name}]; o != nil {
		return o.GetResourceVersion() + "/" + strconv.Itoa(len(s.pods[component]))
	}
	for i := range s.pods[component] {
		if pod := &s.pods[component][i]; pod.UID == about.UID {
			return pod.ResourceVersion
		}
	}
	return ""
}

// eventsDue is when the events of an object are to be read next; zero when none waits.
func (m *memory) eventsDue() time.Time {
	var due time.Time
	for _, e := range m.events {
		if due.IsZero() || e.due.Before(due) {
			due = e.due
		}
	}
	return due
}

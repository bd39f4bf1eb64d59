package controllers

import (
	appsv1 "k8s.io/api/apps/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/sizing"
	"github.com/p2pstream/p2pstream/controllers/status"
)

// size decides how many seeders the audience of a stream gets; nil when the stream does not ask for that.
func (r *Reconciler) size(n *run, s *snapshot) *sizing.Decision {
	if n.stream.Spec.Seeders == nil || n.stream.Spec.Seeders.Scale == nil {
		n.memory.sizing = sizing.State{}
		return nil
	}
	spec := n.stream.Spec.WithDefaults()
	running := s.runningSeeders(n.stream)
	if spec.Suspend {
		return &sizing.Decision{Seeders: max(running, 0), Reason: v1.ScaleSuspended, Message: "spec.suspend is true, so nothing is changed"}
	}
	now := r.Now()
	var a sizing.Audience
	a.Fresh, a.Complete = status.Watched(n.stream.Status, s.reading, n.memory.audience, now)
	if a.Fresh {
		a.Viewers, a.Live = s.reading.Stats.Viewers, s.reading.Stats.Live
	}
	d := n.memory.sizing.Next(spec.Seeders.Scale, running, a, now)
	return &d
}

// runningSeeders is how many seeders the operator made run last: as many as status says, or as the StatefulSet has if those are more.
// It is -1 if it never made any.
func (s *snapshot) runningSeeders(stream *v1.P2PStream) int32 {
	running := int32(-1)
	if last := stream.Status.Seeders; last != nil && last.Scale != nil {
		running = last.Scale.Wanted
	}
	if set, is := s.children[workloadRef(stream.Name, plan.ComponentSeeder)].(*appsv1.StatefulSet); is && set.Spec.Replicas != nil {
		running = max(running, *set.Spec.Replicas)
	}
	return running
}

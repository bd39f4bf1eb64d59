package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
)

// StatusOwner owns every field of a stream's status.
const StatusOwner = "p2pstream-status"

// report writes what came of a run into status, if it is worth a write, and says when to look again.
func (r *Reconciler) report(ctx context.Context, stream *v1.P2PStream, s *snapshot, m *memory, p *plan.Plan, d decision, a apply.Result) (ctrl.Result, error) {
	defer r.Metrics.phase("report", r.Now)()
	if a.Leaving {
		return ctrl.Result{RequeueAfter: maxPollPause}, nil // the namespace goes, and everything in it
	}
	observed := observed(stream, s, m, p, d, a)
	known := totals.Of(stream.Status.Offload)
	result := status.Next(stream.Status, observed, m.written.at, !equal(known, observed.Totals), r.Now())
	m.audience = result.Audience
	if result.Write {
		if err := r.write(ctx, stream, result, m); err != nil {
			return again(err)
		}
	} else {
		m.unwritten = nil // they added nothing to what is in status
	}
	if a.Err != nil {
		return ctrl.Result{}, a.Err
	}
	return ctrl.Result{RequeueAfter: next(s, m, a, observed)}, nil
}

// observed gathers what a status is made from.
func observed(stream *v1.P2PStream, s *snapshot, m *memory, p *plan.Plan, d decision, a apply.Result) status.Observed {
	o := status.Observed{
		Generation: stream.Generation, Suspended: stream.Spec.Suspend, Settled: a.Settled,
		Tracker: s.workloads[plan.ComponentTracker], STUN: s.workloads[plan.ComponentSTUN], Seeders: s.workloads[plan.ComponentSeeder],
		Problems: diagnose.Sort(slices.Concat(a.Problems, d.problems)),
		Reading:  m.reading, ReadingProblem: m.problem, Audience: m.audience,
		Totals: totals.Add(totals.Of(stream.Status.Offload), m.unwritten...),
	}
	if p != nil {
		o.Warnings, o.SeederSelector = p.Warnings, p.SeederSelector
		if d.change {
			o.Endpoints = &p.Endpoints
		}
	}
	return o
}

// write applies the status as a whole. It states the version it was made from: another operator, or a stale
// cache, would otherwise overwrite totals with older ones.
func (r *Reconciler) write(ctx context.Context, stream *v1.P2PStream, result status.Result, m *memory) error {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&result.Status)
	if err != nil {
		return fmt.Errorf("converting status: %w", err)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": raw}}
	object.SetGroupVersionKind(v1.GroupVersion.WithKind(v1.Kind))
	object.SetNamespace(stream.Namespace)
	object.SetName(stream.Name)
	object.SetResourceVersion(stream.ResourceVersion)
	err = r.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(StatusOwner), client.ForceOwnership)
	r.Metrics.statusWritten(err)
	if err != nil {
		return fmt.Errorf("writing status: %w", err)
	}
	m.written = written{at: r.Now(), version: object.GetResourceVersion(), status: result.Status}
	m.unwritten = nil
	for _, e := range result.Events {
		r.Events.Eventf(stream, nil, e.Type, e.Reason, "Reconcile", "%s", note(e.Message))
		logger(ctx).Info("stream "+e.Reason, "type", e.Type, "message", e.Message)
	}
	return nil
}

// soon is when a status is written again that was made from an older version than there is.
const soon = 200 * time.Millisecond

// again sorts the errors of a write.
func again(err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil // deleted in the meantime
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: soon}, nil // changed in the meantime: look again
	}
	return ctrl.Result{}, err
}

// next is when to look again though nothing happens.
func next(s *snapshot, m *memory, a apply.Result, o status.Observed) time.Duration {
	wait := maxPollPause
	if len(s.pods[plan.ComponentTracker]) > 0 {
		wait = m.pollPause()
	}
	if !o.Suspended && (len(o.Problems) > 0 || len(s.waiting) > 0 || !o.Settled) {
		wait = min(wait, pollEvery) // events are not watched
	}
	wait = jittered(wait)
	if a.RetryAfter > 0 {
		wait = min(wait, a.RetryAfter)
	}
	if len(a.Taken) > 0 {
		wait = soon
	}
	return max(wait, soon)
}

// note fits a message into an event, which takes 1024 bytes (events.k8s.io/v1).
func note(message string) string {
	if len(message) <= 1000 {
		return message
	}
	return diagnose.Clean(message)
}

func equal(a, b totals.State) bool {
	return a.Totals == b.Totals && slices.Equal(a.Runs, b.Runs)
}

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
)

// StatusOwner owns every field of a stream's status.
const StatusOwner = "p2pstream-status"

// report writes what came of a run into status, if it is worth a write, and says when to run again.
func (r *Reconciler) report(ctx context.Context, n *run) (ctrl.Result, error) {
	defer r.Metrics.phase("report", r.Now)()
	if n.applied.Leaving {
		return ctrl.Result{RequeueAfter: idleRun}, nil // the namespace is being deleted, and everything in it
	}
	m, observed := n.memory, observed(n)
	observed.Controller = r.Controller
	if r.WithoutNodes {
		observed.Warnings = withoutNodes(observed.Warnings)
	}
	known := totals.Of(n.stream.Status.Offload)
	result := status.Next(n.stream.Status, observed, m.written.at, !equal(known, observed.Totals), r.Now())
	m.audience = result.Audience
	if n.network != nil && n.network.served {
		r.attachments.tell(n.network.key, client.ObjectKeyFromObject(n.stream), status.StreamReading{Reading: m.reading, Known: result.Known})
	}
	if result.Write {
		if err := r.write(ctx, n.stream, result, m); err != nil {
			return afterFailedWrite(err)
		}
	} else {
		m.unwritten = nil // they added nothing to the totals in status
	}
	if n.upgrade.over {
		r.turns.leave(client.ObjectKeyFromObject(n.stream), false)
	}
	if n.applied.Err != nil {
		return ctrl.Result{}, n.applied.Err
	}
	return ctrl.Result{RequeueAfter: nextRun(n, observed, r.Now())}, nil
}

// observed gathers what a status is made from.
func observed(n *run) status.Observed {
	s, p := n.snapshot, n.planned.plan
	o := status.Observed{
		Generation: n.stream.Generation, Request: requestOf(n.stream), Suspended: n.stream.Spec.Suspend, Settled: n.applied.Settled,
		Tracker: s.workloads[plan.ComponentTracker], STUN: s.workloads[plan.ComponentSTUN], Seeders: s.workloads[plan.ComponentSeeder],
		Edges:    s.workloads[plan.ComponentEdge],
		Network:  n.network.view(),
		Problems: diagnose.Sort(slices.Concat(n.applied.Problems, n.decision.problems, n.planned.problems)),
		Reading:  s.reading, ReadingProblem: s.readingProblem, ReadingPending: s.readingPending, Audience: n.memory.audience,
		Sized:   s.sized,
		Upgrade: n.upgrade.status, UpgradeWait: n.upgrade.text,
		Totals: totals.Add(totals.Of(n.stream.Status.Offload), s.unwritten...),
	}
	if stun := n.stream.Spec.STUN; stun != nil && n.network == nil {
		o.STUNServers = len(stun.Servers)
	}
	if sites := n.stream.Spec.Sites; sites != nil && n.network == nil {
		o.SiteMap = sites.MapRef
	}
	if p != nil {
		o.Warnings, o.SeederSelector = p.Warnings, p.SeederSelector
		if n.decision.change {
			o.Endpoints = &p.Endpoints
		}
	}
	return o
}

// requestOf is the value of the annotation that asks for a run, as far as it fits into a status.
func requestOf(stream *v1.P2PStream) string {
	const most = 256
	request := stream.Annotations[v1.AnnotationReconcile]
	return request[:min(len(request), most)]
}

// withoutNodes adds to what is not advertised that the operator cannot know the addresses of nodes.
func withoutNodes(warnings []plan.Warning) []plan.Warning {
	told := slices.Clone(warnings)
	for i := range told {
		if told[i].Reason == v1.ReasonNotAdvertised {
			told[i].Message += ". The operator may not list and watch nodes, so it does not know their addresses"
		}
	}
	return told
}

// write applies the status as a whole. It states the version it was made from: another operator, or a stale
// cache, would otherwise overwrite totals with older ones.
func (r *Reconciler) write(ctx context.Context, stream *v1.P2PStream, result status.Result, m *memory) error {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&result.Status)
	if err != nil {
		return fmt.Errorf("converting status: %w", err)
	}
	version, err := r.applyStatus(ctx, v1.Kind, stream, raw)
	if err != nil {
		return err
	}
	m.written = written{at: r.Now(), version: version, status: result.Status}
	m.unwritten = nil
	for _, e := range result.Events {
		r.Events.Eventf(stream, nil, e.Type, e.Reason, "Reconcile", "%s", note(e.Message))
		logger(ctx).Info("stream "+e.Reason, "type", e.Type, "message", e.Message)
	}
	return nil
}

// applyStatus writes a status, and returns the version of the object that has it.
func (r *Reconciler) applyStatus(ctx context.Context, kind string, of client.Object, raw map[string]any) (version string, err error) {
	object := &unstructured.Unstructured{Object: map[string]any{"status": raw}}
	object.SetGroupVersionKind(v1.GroupVersion.WithKind(kind))
	object.SetNamespace(of.GetNamespace())
	object.SetName(of.GetName())
	object.SetResourceVersion(of.GetResourceVersion())
	err = r.Client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(StatusOwner), client.ForceOwnership)
	r.Metrics.statusWritten(err)
	if err != nil {
		return "", fmt.Errorf("writing status: %w", err)
	}
	return object.GetResourceVersion(), nil
}

// retryConflict is how soon a run follows one whose write was refused because the object had changed.
const retryConflict = 200 * time.Millisecond

// afterFailedWrite says when to run again after the write of a status failed.
func afterFailedWrite(err error) (ctrl.Result, error) {
	switch {
	case apierrors.IsNotFound(err):
		return ctrl.Result{}, nil // the stream was deleted in the meantime
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: retryConflict}, nil // the stream was changed in the meantime
	}
	return ctrl.Result{}, err
}

const (
	// idleRun is how long after a run the next one follows at the latest.
	idleRun = time.Minute
	// troubleRun is that while something is not as it should be.
	troubleRun = 5 * time.Second
)

// unwatched are the reasons of warnings about what is not watched: classes, Gateways and DNS.
var unwatched = []string{v1.ReasonClassNotFound, v1.ReasonGatewayNotFound, v1.ReasonAddressPending, v1.ReasonHostElsewhere}

// nextRun is how long to wait for the next run when no change and no answer of a tracker causes one earlier.
func nextRun(n *run, o status.Observed, now time.Time) time.Duration {
	pause := idleRun
	if !o.Suspended && (len(o.Problems) > 0 || len(n.snapshot.waiting) > 0 || !o.Settled) {
		pause = troubleRun
	}
	if slices.ContainsFunc(o.Warnings, func(w plan.Warning) bool { return slices.Contains(unwatched, w.Reason) }) {
		pause = min(pause, classesEvery)
	}
	if n.upgrade.wait == forTurn || n.upgrade.wait == forOthers {
		pause = troubleRun
	}
	pause = wait.Jitter(pause*9/10, 0.2)                            // spreads streams that were woken together
	if due := n.memory.eventsDue(); !due.IsZero() && !o.Suspended { // events are not watched
		pause = min(pause, due.Sub(now))
	}
	if n.applied.RetryAfter > 0 {
		pause = min(pause, n.applied.RetryAfter)
	}
	if len(n.applied.Taken) > 0 {
		pause = retryConflict
	}
	return max(pause, retryConflict)
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

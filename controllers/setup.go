package controllers

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = time.Minute // a stream that comes back later than that after its cause is gone looks broken
	runTimeout   = time.Minute
)

// SetupWithManager lets a manager run the loop: for each stream that changes, for each of its children and
// pods, and for nodes, whose addresses streams are reached by.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, concurrent int) error {
	if err := Index(context.Background(), mgr.GetFieldIndexer(), r.Kinds); err != nil {
		return err
	}
	if err := mgr.Add(r.pollers); err != nil {
		return fmt.Errorf("adding pollers: %w", err)
	}
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1.P2PStream{}, attachedField, r.networkField); err != nil {
		return fmt.Errorf("indexing streams by network: %w", err)
	}
	if err := mgr.Add(r.pushers); err != nil {
		return fmt.Errorf("adding pushers: %w", err)
	}
	if err := r.setUpNetworks(mgr, concurrent); err != nil {
		return fmt.Errorf("adding loop for networks: %w", err)
	}
	warm := true // a standby fills its caches, so that it goes on within seconds
	loop := ctrl.NewControllerManagedBy(mgr).
		Named("p2pstream").
		For(&v1.P2PStream{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, asked()))).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(streamOf)).
		WatchesRawSource(source.Func(r.answers)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(concurrent, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstBackoff, maxBackoff),
			ReconciliationTimeout:   runTimeout,
			EnableWarmup:            &warm,
		})
	for _, child := range childKinds(r.Kinds) {
		loop.Owns(child)
	}
	if !r.WithoutNodes {
		loop.Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.exposedStreams), builder.WithPredicates(reachability()))
	}
	return loop.Complete(r)
}

// answers is the source of runs that trackers' answers cause, and turns that have come. A stream is in the queue once, however many wake it.
func (r *Reconciler) answers(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	wake := func(stream types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: stream}) }
	r.pollers.Wake(wake)
	r.wakers.mu.Lock()
	defer r.wakers.mu.Unlock()
	r.wakers.streams = wake
	r.turns.wakeBy(wake)
	return nil
}

// streamOf finds the stream of a pod by its label.
func streamOf(_ context.Context, o client.Object) []reconcile.Request {
	name := o.GetLabels()[plan.LabelStream]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
}

// exposedStreams are those that are reached by addresses of nodes.
func (r *Reconciler) exposedStreams(ctx context.Context, _ client.Object) []reconcile.Request {
	var list v1.P2PStreamList
	if err := r.Client.List(ctx, &list, client.MatchingFields{nodesField: usingNodes}, client.UnsafeDisableDeepCopy); err != nil {
		logger(ctx).Error(err, "listing streams for a node")
		return nil
	}
	attached := r.attachments.exposed()
	requests := make([]reconcile.Request, 0, len(list.Items)+len(attached))
	for _, name := range attached {
		requests = append(requests, reconcile.Request{NamespacedName: name})
	}
	for i := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}
	return requests
}

// reachability passes changes of the addresses that nodes are reached by. Nodes change in other ways every few seconds.
// Nodes of the first list cause no runs: every stream gets its first run by its own first list, after all caches are
// filled.
func reachability() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, isNode := e.ObjectOld.(*corev1.Node)
			after, same := e.ObjectNew.(*corev1.Node)
			return !isNode || !same || nodeReady(before) != nodeReady(after) || !equality.Semantic.DeepEqual(before.Status.Addresses, after.Status.Addresses)
		},
	}
}

// asked passes streams whose annotation asks for a run.
func asked() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, DeleteFunc: func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetAnnotations()[v1.AnnotationReconcile] != e.ObjectNew.GetAnnotations()[v1.AnnotationReconcile]
		},
	}
}

func logger(ctx context.Context) logr.Logger { return ctrl.LoggerFrom(ctx) }

package controllers

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
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
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// setUpNetworks lets a manager run the loop for networks: for each that changes, for its objects and pods, for streams that name
// it, and for nodes.
func (r *Reconciler) setUpNetworks(mgr ctrl.Manager, concurrent int) error {
	warm := true
	loop := ctrl.NewControllerManagedBy(mgr).
		Named("p2pnetwork").
		For(&v1.P2PNetwork{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, asked(), deleted()))).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&networkingv1.Ingress{}).
		Owns(&appsv1.Deployment{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(networkOfPod)).
		Watches(&v1.P2PStream{}, handler.EnqueueRequestsFromMapFunc(r.networkRequests), builder.WithPredicates(attaching())).
		WatchesRawSource(source.Func(r.news)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(concurrent, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstBackoff, maxBackoff),
			ReconciliationTimeout:   runTimeout,
			EnableWarmup:            &warm,
		})
	for _, kind := range optionalKinds(r.Kinds) {
		loop.Owns(kind)
	}
	if !r.WithoutNodes {
		loop.Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.exposedNetworks), builder.WithPredicates(reachability()))
	}
	return loop.Complete(reconcile.Func(r.ReconcileNetwork))
}

// news is the source of runs that pushers and streams cause.
func (r *Reconciler) news(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.wakers.mu.Lock()
	r.wakers.networks = func(network types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: network}) }
	r.wakers.mu.Unlock()
	r.pushers.Wake(r.afterPush)
	return nil
}

func networkOfPod(_ context.Context, o client.Object) []reconcile.Request {
	name := o.GetLabels()[plan.LabelNetwork]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
}

// networkRequests is the network of a stream. A stream that changes it causes a run of both.
func (r *Reconciler) networkRequests(_ context.Context, o client.Object) []reconcile.Request {
	if stream, is := o.(*v1.P2PStream); is {
		if name, attached := r.networkOf(stream); attached {
			return []reconcile.Request{{NamespacedName: name}}
		}
	}
	return nil
}

// networkField is the index of streams by their network.
func (r *Reconciler) networkField(o client.Object) []string {
	if stream, is := o.(*v1.P2PStream); is {
		if name, attached := r.networkOf(stream); attached {
			return []string{name.String()}
		}
	}
	return nil
}

// exposedNetworks are those that are reached by addresses of nodes.
func (r *Reconciler) exposedNetworks(ctx context.Context, _ client.Object) []reconcile.Request {
	var list v1.P2PNetworkList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		logger(ctx).Error(err, "listing networks for a node")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		n := &list.Items[i]
		if exposure.NeedsNodes(&v1.P2PStreamSpec{Tracker: n.Spec.Tracker, STUN: n.Spec.STUN}) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(n)})
		}
	}
	return requests
}

// attaching passes streams that may attach or detach, and those whose deletion has begun or that another installation has claimed.
// Figures in their status change all the time.
func attaching() predicate.Predicate {
	claimant := func(o client.Object) string {
		if s, is := o.(*v1.P2PStream); is && s.Status.Claim != nil {
			return s.Status.Claim.Controller
		}
		return ""
	}
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || e.ObjectOld.GetUID() != e.ObjectNew.GetUID() ||
			(e.ObjectOld.GetDeletionTimestamp() == nil) != (e.ObjectNew.GetDeletionTimestamp() == nil) || claimant(e.ObjectOld) != claimant(e.ObjectNew)
	}}
}

// deleted passes objects whose deletion has begun.
func deleted() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false }, DeleteFunc: func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return (e.ObjectOld.GetDeletionTimestamp() == nil) != (e.ObjectNew.GetDeletionTimestamp() == nil)
		},
	}
}

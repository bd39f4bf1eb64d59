package controllers

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
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

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
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
	warm := true // a standby fills its caches, so that it goes on within seconds
	return ctrl.NewControllerManagedBy(mgr).
		Named("p2pstream").
		For(&v1.P2PStream{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&appsv1.Deployment{}).
		Owns(&appsv1.StatefulSet{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(streamOf)).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.exposedStreams), builder.WithPredicates(reachability())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: max(concurrent, 1),
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstBackoff, maxBackoff),
			ReconciliationTimeout:   runTimeout,
			EnableWarmup:            &warm,
		}).
		Complete(r)
}

// streamOf finds the stream of a pod by its label.
func streamOf(_ context.Context, o client.Object) []reconcile.Request {
	name := o.GetLabels()[plan.LabelStream]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
}

// exposedStreams are those that nodes matter to.
func (r *Reconciler) exposedStreams(ctx context.Context, _ client.Object) []reconcile.Request {
	var list v1.P2PStreamList
	if err := r.Client.List(ctx, &list); err != nil {
		logger(ctx).Error(err, "listing streams for a node")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if exposure.NeedsNodes(&list.Items[i].Spec) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// reachability lets pass what changes by which addresses nodes are reached. Nodes report something else every
// few seconds.
func reachability() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isNode := e.ObjectOld.(*corev1.Node)
		after, same := e.ObjectNew.(*corev1.Node)
		return !isNode || !same || nodeReady(before) != nodeReady(after) || !equality.Semantic.DeepEqual(before.Status.Addresses, after.Status.Addresses)
	}}
}

func logger(ctx context.Context) logr.Logger { return ctrl.LoggerFrom(ctx) }

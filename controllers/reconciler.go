package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/poll"
)

// Options say what a Reconciler works with.
type Options struct {
	// Client reads from the cache and writes to the API server.
	Client client.Client
	// Live reads from the API server itself.
	Live client.Reader
	// Events takes what people are told of.
	Events events.EventRecorder
	// Poll asks trackers for their stats.
	Poll *poll.Client
	// Image of every pod, and when nodes pull it; an empty policy leaves that to the API server.
	Image      string
	PullPolicy corev1.PullPolicy
	// Metrics counts; nil counts nothing.
	Metrics *Metrics
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// Reconciler brings streams to what their specs ask for and reports how they do. It may be used by several
// goroutines, each with a stream of its own.
type Reconciler struct {
	Options
	applier *apply.Applier
	streams memories
}

// NewReconciler returns a Reconciler.
func NewReconciler(o Options) *Reconciler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	r := &Reconciler{Options: o}
	r.applier = &apply.Applier{Client: o.Client, Live: o.Live, Count: o.Metrics.wrote}
	return r
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	stream, m, err := r.fetch(ctx, req)
	if stream == nil {
		return ctrl.Result{}, err
	}
	seen, err := r.observe(ctx, stream, m)
	if err != nil {
		return ctrl.Result{}, err
	}
	decided := decide(stream, seen, m)
	planned := r.plan(stream, &decided)
	applied := r.apply(ctx, stream, seen, m, planned, decided)
	return r.report(ctx, stream, seen, m, planned, decided, applied)
}

// fetch returns the stream and what is remembered of it; nil when there is nothing to do for it.
func (r *Reconciler) fetch(ctx context.Context, req ctrl.Request) (*v1.P2PStream, *memory, error) {
	defer r.Metrics.phase("fetch", r.Now)()
	stream := &v1.P2PStream{}
	err := r.Client.Get(ctx, req.NamespacedName, stream)
	if apierrors.IsNotFound(err) || (err == nil && stream.DeletionTimestamp != nil) {
		// Children go with their owner.
		r.streams.forget(req.NamespacedName)
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading stream: %w", err)
	}
	m := r.streams.of(req.NamespacedName, stream.UID)
	m.catchUp(stream)
	return stream, m, nil
}

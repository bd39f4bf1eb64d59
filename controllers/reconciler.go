package controllers

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/push"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// Options say what a Reconciler works with.
type Options struct {
	// Client reads from the cache, with the indexes of Index, and writes to the API server.
	Client client.Client
	// Live reads from the API server itself.
	Live client.Reader
	// Events records the edges of conditions for users.
	Events events.EventRecorder
	// Poll asks trackers for their stats.
	Poll *poll.Client
	// Image of every pod, and when nodes pull it; an empty policy leaves that to the API server.
	Image      string
	PullPolicy corev1.PullPolicy
	// Controller is the name by which this installation claims streams; empty claims none, and reconciles all.
	Controller string
	// Pods are the defaults of spec.pods; nil when there are none.
	Pods *v1.PodsSpec
	// NetworkPolicies of streams; nil: they have none.
	NetworkPolicies *plan.NetworkPolicies
	// Namespaces whose objects are in the cache; none means all.
	Namespaces []string
	// DefaultNetwork is for streams that say nothing of what a network has; its name is empty when there is none.
	DefaultNetwork types.NamespacedName
	// Key derives the tokens of networks; nil, or one that returns nil for minutes, stalls networks. It may be asked at any time.
	Key func() Key
	// Push sends tables of streams to trackers; nil makes a client.
	Push *push.Client
	// Installation identifies what this operator brings to plans by itself: its version, the image, the defaults. When it changes,
	// streams are upgraded as Upgrades says; empty: whatever changes, they are changed at once.
	Installation string
	Upgrades     Upgrades
	// WithoutNodes: nodes cannot be read, so that their addresses are not known.
	WithoutNodes bool
	// Kinds of children that a cluster may lack and this one has, which are in the cache.
	Kinds exposure.Kinds
	// Lookup resolves the hosts of trackers, of which a wrong one is reported; nil asks the DNS of the operator's pod.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// StallAfter is how long a problem that may heal, such as a missing Secret, lasts before it stalls a stream; 0 is
	// two minutes.
	StallAfter time.Duration
	// Metrics counts; nil counts nothing.
	Metrics *Metrics
	// Overview is told what trackers say; nil when there is none.
	Overview Overview
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// Overview shows all streams to people.
type Overview interface {
	// Hear is called with what the tracker of a stream said at a moment, which is not changed later; nil: there is no answer.
	Hear(stream types.NamespacedName, at time.Time, s *stats.Stats)
	// Forget is called with a stream that is gone, or is not this operator's.
	Forget(stream types.NamespacedName)
}

// Reconciler brings streams to what their specs ask for and reports how they do. It may be used by several
// goroutines, each with a stream of its own.
type Reconciler struct {
	Options
	keyed   bool // it has a key, or will
	applier *apply.Applier
	pollers *poll.Pollers
	streams memories
	classes *ingressClasses
	gates   *gateways
	hosts   *hosts

	pushers     *push.Pushers
	networks    networkMemories
	attachments attachments
	labels      *namespaceLabels
	wakers      wakers
	turns       turns
}

// NewReconciler returns a Reconciler.
func NewReconciler(o Options) *Reconciler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.StallAfter == 0 {
		o.StallAfter = stallAfter
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	keyed := o.Key != nil
	if !keyed {
		o.Key = func() Key { return nil }
	}
	if o.Lookup == nil {
		o.Lookup = lookupHost
	}
	if o.Push == nil {
		o.Push = push.NewClient()
	}
	r := &Reconciler{Options: o, keyed: keyed}
	r.pollers = poll.NewPollers(poll.Config{Client: o.Poll, Metrics: o.Metrics.polls})
	r.pushers = push.New(o.Push, o.Metrics.pushes)
	r.labels = &namespaceLabels{live: o.Live, now: o.Now}
	r.classes = &ingressClasses{live: o.Live, now: o.Now}
	r.gates = &gateways{live: o.Live, now: o.Now}
	r.hosts = &hosts{lookup: o.Lookup, now: o.Now}
	r.applier = &apply.Applier{Client: o.Client, Live: o.Live, Count: o.Metrics.wrote}
	return r
}

// run is one reconcile of one stream. Each phase fills in the field of its name, once, for the phases after it;
// no phase changes what an earlier one found. What outlives the run is in memory.
type run struct {
	stream *v1.P2PStream
	memory *memory

	network  *attachment  // attach: the network that the stream uses; nil when it has a tracker of its own
	snapshot *snapshot    // observe: the cluster and the trackers as this run sees them
	decision decision     // decide: what that means for the plan
	planned  planned      // plan: the children that the spec asks for, or why there is no plan
	upgrade  upgrade      // upgrade: whose turn it is to get the pods of this version of the operator
	applied  apply.Result // apply: what the API server made of them
}

// Reconcile implements reconcile.Reconciler. It is the whole loop: what each phase reads, it takes from the run; what
// it finds, it returns. Only apply and report write to the API server.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	n, err := r.fetch(ctx, req)
	if n == nil {
		return ctrl.Result{}, err
	}
	if mine, after, err := r.claim(ctx, n); !mine {
		r.leaveOut(req.NamespacedName)
		return ctrl.Result{RequeueAfter: after}, err
	}
	if decided, err := r.attach(ctx, n); !decided {
		return ctrl.Result{RequeueAfter: undecidedRun}, err
	}
	if n.snapshot, err = r.observe(ctx, n); err != nil {
		return ctrl.Result{}, err
	}
	n.decision = decide(n.stream, n.snapshot)
	if a := n.network; a != nil && a.refused != nil {
		n.decision.problems = append(n.decision.problems, *a.refused)
	}
	n.decision.problems = r.hold(n)
	n.planned = r.plan(n)
	if n.upgrade, err = r.upgrade(ctx, n); err != nil {
		return afterFailedWrite(err)
	}
	n.applied = r.apply(ctx, n)
	return r.report(ctx, n)
}

// leaveOut tells the overview that a stream is not to be shown.
func (r *Reconciler) leaveOut(stream types.NamespacedName) {
	if r.Overview != nil {
		r.Overview.Forget(stream)
	}
}

// fetch begins a run with the stream and what is remembered of it; nil when there is nothing to do for it.
func (r *Reconciler) fetch(ctx context.Context, req ctrl.Request) (*run, error) {
	defer r.Metrics.phase("fetch", r.Now)()
	stream := &v1.P2PStream{}
	err := r.Client.Get(ctx, req.NamespacedName, stream)
	if apierrors.IsNotFound(err) || (err == nil && stream.DeletionTimestamp != nil) {
		// The garbage collector deletes the children with their owner.
		r.streams.forget(req.NamespacedName)
		r.pollers.Follow(req.NamespacedName, nil, nil)
		r.leaveOut(req.NamespacedName)
		r.turns.leave(req.NamespacedName, true)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading stream: %w", err)
	}
	m := r.streams.of(req.NamespacedName, stream.UID)
	m.catchUp(stream)
	m.hear(stream)
	return &run{stream: stream, memory: m}, nil
}

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/push"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// NetworkOwner owns the finalizer of networks.
const NetworkOwner = "p2pstream-networks"

// networkComponents are what a network has of the components.
var networkComponents = []string{plan.ComponentTracker, plan.ComponentSTUN}

// networkRun is how long after a run of a network the next one follows at the latest: the figures in its status are sums of those of
// its streams.
const networkRun = 15 * time.Second

// undecidedRun is how soon a stream looks again whether its network has decided, if that does not wake it.
const undecidedRun = time.Second

// networkMemory is what is kept of one network between two runs.
type networkMemory struct {
	memory
	kept    keptTable
	places  places              // that the streams hold
	status  v1.P2PNetworkStatus // the last that was written
	version string              // of the network that has it
	at      time.Time           // when
}

// networkMemories of all networks.
type networkMemories struct {
	mu     sync.Mutex
	byName map[types.NamespacedName]*networkMemory
}

func (s *networkMemories) of(name types.NamespacedName, uid types.UID) *networkMemory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[name]; m != nil && m.uid == uid {
		return m
	}
	if s.byName == nil {
		s.byName = map[types.NamespacedName]*networkMemory{}
	}
	m := &networkMemory{memory: memory{uid: uid, observed: exposure.Observed{}}}
	s.byName[name] = m
	return m
}

func (s *networkMemories) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, name)
}

// ReconcileNetwork is the loop for networks. It has the phases of that for streams: what a network has is planned from a stream
// without a source.
func (r *Reconciler) ReconcileNetwork(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	network := &v1.P2PNetwork{}
	err := r.Client.Get(ctx, req.NamespacedName, network)
	if apierrors.IsNotFound(err) {
		r.networks.forget(req.NamespacedName)
		r.pushers.Follow(req.NamespacedName, nil, nil)
		r.wakeStreams(r.attachments.set(req.NamespacedName, nil))
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading network: %w", err)
	}
	m := r.networks.of(req.NamespacedName, network.UID)
	if order, err := resourceversion.CompareResourceVersion(network.ResourceVersion, m.version); m.version != "" && err == nil && order < 0 {
		network.Status, network.ResourceVersion = *m.status.DeepCopy(), m.version // the cache has not seen our own write yet
	}
	if mine, after, err := r.claimNetwork(ctx, network, m); !mine {
		return ctrl.Result{RequeueAfter: after}, err
	}
	streams, err := r.streamsOf(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	a, err := admit(network, streams, r.Key(), m.places, r.Now(), func(namespace string) (map[string]string, error) { return r.labels.of(ctx, namespace) })
	if err != nil {
		return ctrl.Result{}, err
	}
	m.places = a.places
	if held, err := r.finalize(ctx, network, len(a.attached) > 0); !held {
		return ctrl.Result{RequeueAfter: retryConflict}, err
	}
	if network.DeletionTimestamp != nil && len(a.attached) == 0 {
		// The garbage collector deletes the children. Nothing is to be made anew while it waits for them.
		r.pushers.Follow(req.NamespacedName, nil, nil)
		r.wakeStreams(r.attachments.set(req.NamespacedName, nil))
		return ctrl.Result{}, nil
	}
	t, err := tableOf(a.entries)
	if err != nil {
		return ctrl.Result{}, err
	}
	if m.kept, err = m.kept.keep(t, r.Now()); err != nil {
		return ctrl.Result{}, err
	}
	n, err := r.runNetwork(ctx, network, m)
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(r.Key()) >= MinKey {
		r.pushTable(n, network, t)
	}
	return r.reportNetwork(ctx, n, network, m, a)
}

// claimNetwork is claim for a network.
func (r *Reconciler) claimNetwork(ctx context.Context, network *v1.P2PNetwork, m *networkMemory) (mine bool, after time.Duration, err error) {
	held, now := network.Status.Claim, r.Now()
	switch {
	case r.Controller == "", held != nil && held.Controller == r.Controller, held == nil && m.claimed:
		return true, 0, nil
	case held != nil && now.Sub(held.RenewedAt.Time) < claimLasts:
		key := client.ObjectKeyFromObject(network)
		r.pushers.Follow(key, nil, nil)
		m.places = nil
		r.wakeStreams(r.attachments.set(key, &decided{network: network, foreign: true}))
		return false, min(max(held.RenewedAt.Add(claimLasts).Sub(now), retryConflict), claimLasts), nil
	}
	claimed := network.Status.DeepCopy()
	claimed.Claim = &v1.ClaimStatus{Controller: r.Controller, RenewedAt: metav1.NewTime(now.Truncate(time.Second))}
	switch err := r.writeNetwork(ctx, network, *claimed, m); {
	case apierrors.IsConflict(err):
		return false, retryConflict, nil
	case apierrors.IsNotFound(err):
		return false, 0, nil
	case err != nil:
		return false, 0, fmt.Errorf("claiming network: %w", err)
	}
	m.claimed = true
	network.Status, network.ResourceVersion = *m.status.DeepCopy(), m.version
	return true, 0, nil
}

// streamsOf are those that name a network and are not deleted.
func (r *Reconciler) streamsOf(ctx context.Context, network types.NamespacedName) ([]*v1.P2PStream, error) {
	var list v1.P2PStreamList
	if err := r.Client.List(ctx, &list, client.MatchingFields{attachedField: network.String()}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing streams of network %s: %w", network, err)
	}
	var streams []*v1.P2PStream
	for i := range list.Items {
		s := &list.Items[i]
		if s.DeletionTimestamp == nil && (r.Controller == "" || s.Status.Claim == nil || s.Status.Claim.Controller == r.Controller) {
			streams = append(streams, s)
		}
	}
	return streams, nil
}

// finalize keeps the network from going away while streams are attached: its finalizer is there when, and only when, there are any.
// It returns false when the network has to be looked at again.
func (r *Reconciler) finalize(ctx context.Context, network *v1.P2PNetwork, attached bool) (bool, error) {
	has := controllerutil.ContainsFinalizer(network, v1.FinalizerStreams)
	if has == attached || (attached && network.DeletionTimestamp != nil) {
		return true, nil
	}
	change := network.DeepCopy()
	if attached {
		controllerutil.AddFinalizer(change, v1.FinalizerStreams)
	} else {
		controllerutil.RemoveFinalizer(change, v1.FinalizerStreams)
	}
	err := r.Client.Patch(ctx, change, client.MergeFromWithOptions(network, client.MergeFromWithOptimisticLock{}), client.FieldOwner(NetworkOwner))
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("changing finalizers of network: %w", err)
	case network.DeletionTimestamp != nil:
		return false, nil // it is gone now
	}
	network.ResourceVersion, network.Finalizers = change.ResourceVersion, change.Finalizers
	return true, nil
}

// runNetwork observes, decides, plans and applies.
func (r *Reconciler) runNetwork(ctx context.Context, network *v1.P2PNetwork, m *networkMemory) (*run, error) {
	n := &run{stream: plan.Stand(network), memory: &m.memory}
	s := &snapshot{children: map[plan.Ref]client.Object{}, pods: map[string][]corev1.Pod{}, workloads: map[string]status.Workload{}, waiting: map[string]diagnose.Input{}}
	n.snapshot = s
	if err := r.readAll(ctx, network, n.stream, s); err != nil {
		return nil, err
	}
	r.readEntrance(ctx, n.stream, s)
	for ref, child := range s.children {
		m.observed.Note(ref.Name, child)
	}
	s.observed = maps.Clone(m.observed)
	for _, component := range networkComponents {
		s.workloads[component] = s.workload(n.stream, component)
		if !s.workloads[component].Complete() {
			s.waiting[component] = s.diagnosis(n.stream, component)
		}
	}
	r.readEvents(ctx, n, s)
	token := r.Key().tableToken(network.UID)
	s.tokenSecret = tableSecret(network.Name, token)
	n.decision = decide(n.stream, s)
	keyless := len(r.Key()) < MinKey
	if keyless {
		n.decision.problems = append(n.decision.problems, diagnose.Problem{Reason: v1.ReasonNoKey, Stalls: true, Heals: true,
			Message: "The operator has no key from which tokens of networks are derived. It makes one when it starts with --key-file and --key-secret: see its log."})
	}
	n.decision.problems = r.hold(n)
	if keyless {
		return n, nil
	}
	facts := n.decision.facts
	facts.Image, facts.PullPolicy, facts.Pods = r.Image, r.PullPolicy, r.Pods
	facts.NetworkPolicies = r.NetworkPolicies
	made, err := plan.MakeNetwork(network, plan.NetworkFacts{TableSecret: s.tokenSecret, Table: m.kept.packed}, facts)
	if n.planned = planResult(made, err); n.planned.plan == nil {
		return n, nil
	}
	if now := r.Now(); n.decision.token || m.tokenAt.IsZero() || now.Sub(m.tokenAt) >= tokenEvery {
		problem, err := r.applier.Secret(ctx, network, s.tokenSecret, token)
		if problem != nil {
			n.applied.Problems = append(n.applied.Problems, *problem)
		}
		if problem == nil && err == nil {
			m.tokenAt = now
		}
		n.applied.Err = err
	}
	done := r.applier.Apply(ctx, apply.Input{Owner: network, Plan: made, Children: s.children, Now: r.Now()}, &m.children)
	done.Problems = append(n.applied.Problems, done.Problems...)
	done.Err = errors.Join(n.applied.Err, done.Err)
	done.Settled = done.Settled && len(done.Problems) == 0 && done.Err == nil
	for _, service := range done.Taken {
		delete(m.observed, service)
	}
	n.applied = done
	return n, nil
}

// pushTable says which trackers are to have which table.
func (r *Reconciler) pushTable(n *run, network *v1.P2PNetwork, t *push.Table) {
	key := client.ObjectKeyFromObject(network)
	var targets []push.Target
	for i := range n.snapshot.pods[plan.ComponentTracker] {
		pod := &n.snapshot.pods[plan.ComponentTracker][i]
		if pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning && pod.Status.PodIP != "" {
			targets = append(targets, push.Target{Pod: pod.Name, UID: pod.UID, IP: pod.Status.PodIP})
		}
	}
	t.Token = r.Key().tableToken(network.UID)
	r.pushers.Follow(key, targets, t)
}

// tableOf makes the table of entries. Its revision depends on them alone.
func tableOf(entries []table.Entry) (*push.Table, error) {
	raw, err := json.Marshal(entries)
	if err != nil {
		return nil, fmt.Errorf("encoding table of streams: %w", err)
	}
	sum := sha256.Sum256(raw)
	t := &push.Table{Revision: hex.EncodeToString(sum[:16]), Streams: map[table.Key]string{}}
	for _, e := range entries {
		t.Streams[e.Key()] = e.UID
	}
	if t.Body, err = json.Marshal(table.Table{Revision: t.Revision, Streams: append([]table.Entry{}, entries...)}); err != nil {
		return nil, fmt.Errorf("encoding table of streams: %w", err)
	}
	return t, nil
}

// reportNetwork writes what came of a run, and tells the streams.
func (r *Reconciler) reportNetwork(ctx context.Context, n *run, network *v1.P2PNetwork, m *networkMemory, a admission) (ctrl.Result, error) {
	if n.applied.Leaving {
		return ctrl.Result{RequeueAfter: idleRun}, nil
	}
	key := client.ObjectKeyFromObject(network)
	o := status.NetworkObserved{Observed: observed(n), Attached: a.attached, Refused: len(a.refused), HasSites: network.Spec.Sites != nil, TableKept: m.kept.packed != nil}
	o.Controller, o.Generation = r.Controller, network.Generation
	if network.Spec.Sites != nil {
		o.SiteMap = network.Spec.Sites.MapRef
	}
	if r.WithoutNodes {
		o.Warnings = withoutNodes(o.Warnings)
	}
	if p := n.planned.plan; p != nil {
		o.NetworkEndpoints = &v1.NetworkEndpointsStatus{URL: p.Endpoints.Config, Announce: p.Endpoints.Announce, STUN: p.Endpoints.STUN}
	}
	o.Readings = r.attachments.said(key)
	o.Reading = status.Newest(o.Readings)
	if err := r.pushers.Trouble(key); err != nil {
		o.Problems = append(o.Problems, diagnose.Problem{Component: plan.ComponentTracker, Reason: v1.ReasonTableRefused, Message: diagnose.Clean(err.Error()) + "."})
	}
	if network.DeletionTimestamp != nil {
		for _, s := range a.attached {
			o.Waits = append(o.Waits, s.Namespace+"/"+s.Name)
		}
	}
	result := status.NextNetwork(network.Status, o, m.at, r.Now())
	if result.Write {
		if err := r.writeNetwork(ctx, network, result.Status, m); err != nil {
			return afterFailedWrite(err)
		}
	}
	if len(r.Key()) < MinKey {
		return ctrl.Result{RequeueAfter: undecidedRun}, nil // nothing is decided about streams
	}
	next := network.DeepCopy()
	next.Status = result.Status
	d := &decided{network: next, admitted: map[types.NamespacedName]types.UID{}, refused: a.refused, places: a.places}
	for _, s := range a.attached {
		d.admitted[client.ObjectKeyFromObject(s)] = s.UID
	}
	r.wakeStreams(r.attachments.set(key, d))
	if n.applied.Err != nil {
		return ctrl.Result{}, n.applied.Err
	}
	after := min(nextRun(n, o.Observed, r.Now()), networkRun)
	if m.kept.behind {
		after = min(after, keepEvery)
	}
	return ctrl.Result{RequeueAfter: after}, nil
}

// writeNetwork applies a status as a whole, with the version that it was made from.
func (r *Reconciler) writeNetwork(ctx context.Context, network *v1.P2PNetwork, s v1.P2PNetworkStatus, m *networkMemory) error {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return fmt.Errorf("converting status: %w", err)
	}
	version, err := r.applyStatus(ctx, v1.NetworkKind, network, raw)
	if err != nil {
		return err
	}
	r.networkEvents(ctx, network, s)
	m.status, m.version, m.at = s, version, r.Now()
	return nil
}

// networkEvents tells people when a network stalls or is ready.
func (r *Reconciler) networkEvents(ctx context.Context, network *v1.P2PNetwork, now v1.P2PNetworkStatus) {
	for _, e := range status.NetworkEvents(network.Status, now) {
		r.Events.Eventf(network, nil, e.Type, e.Reason, "Reconcile", "%s", note(e.Message))
		logger(ctx).Info("network "+e.Reason, "type", e.Type, "message", e.Message)
	}
}

// afterPush is what a pusher's news cause: a run of the network, and of its streams.
func (r *Reconciler) afterPush(network types.NamespacedName) {
	r.wakers.network(network)
	if d := r.attachments.of(network); d != nil {
		r.wakeStreams(slices.Collect(maps.Keys(d.admitted)))
	}
}

func (r *Reconciler) wakeStreams(streams []types.NamespacedName) {
	for _, s := range streams {
		r.wakers.stream(s)
	}
}

// wakers put streams and networks into the queues of their loops. Before a loop runs, they do nothing: its first run sees everything.
type wakers struct {
	mu       sync.Mutex
	streams  func(types.NamespacedName)
	networks func(types.NamespacedName)
}

func (w *wakers) stream(name types.NamespacedName) {
	w.call(func() func(types.NamespacedName) { return w.streams }, name)
}
func (w *wakers) network(name types.NamespacedName) {
	w.call(func() func(types.NamespacedName) { return w.networks }, name)
}

func (w *wakers) call(which func() func(types.NamespacedName), name types.NamespacedName) {
	w.mu.Lock()
	wake := which()
	w.mu.Unlock()
	if wake != nil {
		wake(name)
	}
}

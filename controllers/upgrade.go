package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
)

// upgrade is what a run found about pods that another installation planned: a former version of this one, or other settings.
type upgrade struct {
	status *v1.UpgradeStatus
	wait   waitsFor
	text   string // what it waits for
	over   bool   // its turn ends when status says so: streams that are counted by their status are never more than there are turns
}

// upgrade holds the pods of a stream that a former version of the operator planned until it is the stream's turn: rolled all at
// once, the streams of a cluster would disturb every audience, and a broken image would reach them all. What the spec asks for is
// never held back.
func (r *Reconciler) upgrade(ctx context.Context, n *run) (upgrade, error) {
	if r.Installation == "" {
		return upgrade{}, nil
	}
	defer r.countUpgrades()
	name, before, now := client.ObjectKeyFromObject(n.stream), n.stream.Status.Upgrade, r.Now()
	if n.planned.plan == nil || !n.decision.change {
		r.turns.leave(name, false)
		return upgrade{status: before}, nil
	}
	first := !n.memory.planned
	n.memory.planned = true
	stale := staleWorkloads(n.planned.plan, n.snapshot.children, r.Installation)
	running := before != nil && before.Phase == v1.UpgradeRunning
	switch {
	case len(stale) == 0 && running && !n.snapshot.complete():
		r.turns.enter(name, before.Since.Time)
		return upgrade{status: before}, nil
	case len(stale) == 0:
		n.memory.held, n.memory.heldAs = nil, ""
		return upgrade{over: true}, nil
	case running:
		r.turns.enter(name, before.Since.Time)
		return upgrade{status: before}, nil
	}
	pods := podsOf(stale)
	changed := changedSpec(n, first, pods)
	n.memory.heldAs = pods
	if changed {
		r.turns.enter(name, now)
		return r.begin(ctx, n)
	}
	since := metav1.NewTime(now.Truncate(time.Second))
	if before != nil {
		since = before.Since
	}
	others, err := r.unknownStreams(ctx)
	if err != nil {
		return upgrade{}, err
	}
	a := applicant{viewers: n.viewers()}
	a.busy = a.viewers > 0 && now.Before(since.Add(r.Upgrades.WhenIdle))
	why := r.turns.ask(name, a, others, r.Upgrades.AtOnce, now)
	if why == goesOn {
		return r.begin(ctx, n)
	}
	text := fmt.Sprintf("streams are upgraded %d at a time, those with viewers last", r.Upgrades.AtOnce)
	if why == forAudience {
		text = "it waits until its viewers have left, or until " + since.Add(r.Upgrades.WhenIdle).UTC().Format(time.RFC3339)
	}
	if err := r.holdPods(ctx, n, stale); err != nil {
		return upgrade{}, err
	}
	return upgrade{status: &v1.UpgradeStatus{Phase: v1.UpgradeWaiting, Since: since, Pods: pods}, wait: why, text: text}, nil
}

// begin writes into status that the upgrade is under way, before anything is applied: an operator that takes over has to count it.
func (r *Reconciler) begin(ctx context.Context, n *run) (upgrade, error) {
	n.memory.held = nil
	now := &v1.UpgradeStatus{Phase: v1.UpgradeRunning, Since: metav1.NewTime(r.Now().Truncate(time.Second))}
	next := n.stream.Status.DeepCopy()
	next.Upgrade = now
	kept := n.memory.unwritten // are written at the end of the run
	if err := r.write(ctx, n.stream, status.Result{Status: *next, Events: []status.Event{status.Upgrading()}}, n.memory); err != nil {
		return upgrade{}, err
	}
	n.memory.unwritten = kept
	n.memory.catchUp(n.stream)
	return upgrade{status: now}, nil
}

// staleWorkloads are the planned workloads whose pods another installation planned, and would be replaced.
func staleWorkloads(p *plan.Plan, children map[plan.Ref]client.Object, installation string) []plan.Object {
	var stale []plan.Object
	for _, o := range p.Objects {
		live := children[o.Ref]
		if o.Template == "" || live == nil || live.GetDeletionTimestamp() != nil {
			continue
		}
		if marks := live.GetAnnotations(); marks[plan.AnnotationInstallation] != installation && marks[plan.AnnotationTemplate] != o.Template {
			stale = append(stale, o)
		}
	}
	return stale
}

// changedSpec tells whether the spec, and not only the operator, makes other pods than there are. An operator that has just started
// knows what the one before it was to make when that was of the same version; else all that changed while none was there counts.
func changedSpec(n *run, first bool, pods string) bool {
	if !first {
		return n.memory.heldAs != "" && n.memory.heldAs != pods
	}
	before := n.stream.Status.Upgrade
	return n.stream.Generation != n.stream.Status.ObservedGeneration && (before == nil || before.Pods != pods)
}

// podsOf identifies the pods that workloads would make.
func podsOf(objects []plan.Object) string {
	all := sha256.New()
	for _, o := range objects {
		_, _ = fmt.Fprintf(all, "%s/%s=%s;", o.Kind, o.Name, o.Template) // never fails
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}

// complete tells whether all pods are there, new and ready.
func (s *snapshot) complete() bool {
	for _, w := range s.workloads {
		if !w.Complete() {
			return false
		}
	}
	return true
}

// viewers of the stream, as far as its trackers and its status tell, now or when they last did: with the operator, the tracker of a
// network is replaced at once, and a new one does not know yet who watches. A stream that serves, and of whose viewers nothing was ever
// known, may have some.
func (n *run) viewers() int {
	m := n.memory
	if r := n.snapshot.reading; r != nil && r.Stats.ViewersKnown {
		m.viewers = &r.Stats.Viewers
	} else if s := n.stream.Status.Swarm; m.viewers == nil && s != nil && s.Viewers != nil {
		before := int(*s.Viewers)
		m.viewers = &before
	}
	if m.viewers != nil {
		return *m.viewers
	}
	if meta.IsStatusConditionTrue(n.stream.Status.Conditions, v1.ConditionReady) {
		return 1
	}
	return 0
}

// unknownStreams are those of this installation. Turns leaves out the ones that it knows.
func (r *Reconciler) unknownStreams(ctx context.Context) ([]unknown, error) {
	var list v1.P2PStreamList
	if err := r.Client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing streams: %w", err)
	}
	var all []unknown
	for i := range list.Items {
		s := &list.Items[i]
		claim := s.Status.Claim
		if s.DeletionTimestamp != nil || s.Spec.Suspend || claim != nil && r.Controller != "" && claim.Controller != r.Controller {
			continue
		}
		u := unknown{name: types.NamespacedName{Namespace: s.Namespace, Name: s.Name}}
		if up := s.Status.Upgrade; up != nil && up.Phase == v1.UpgradeRunning {
			u.since = up.Since.Time
		}
		all = append(all, u)
	}
	return all, nil
}

// heldWorkload is a workload as the former version of the operator applied it.
type heldWorkload struct {
	uid     types.UID
	applied []byte
}

// holdPods changes the plan so that it replaces no pods.
func (r *Reconciler) holdPods(ctx context.Context, n *run, stale []plan.Object) error {
	if n.memory.held == nil {
		n.memory.held = map[plan.Ref]heldWorkload{}
	}
	held := map[string]plan.Held{}
	for _, o := range stale {
		kept := n.memory.held[o.Ref]
		if live := n.snapshot.children[o.Ref]; kept.uid != live.GetUID() {
			applied, err := r.applied(ctx, client.ObjectKeyFromObject(live), o.Kind)
			if err != nil {
				return err
			}
			kept = heldWorkload{live.GetUID(), applied}
			n.memory.held[o.Ref] = kept
		}
		h := plan.Held{Applied: kept.applied}
		if config, is := n.snapshot.children[plan.Ref{Kind: "ConfigMap", Name: o.Name}].(*corev1.ConfigMap); is {
			h.Config = config.Data
		}
		held[o.Name] = h
	}
	p, err := n.planned.plan.Hold(held)
	if err != nil {
		return err
	}
	n.planned.plan = &p
	return nil
}

// applied reads from the API server what was applied to a workload: the fields that are the operator's.
func (r *Reconciler) applied(ctx context.Context, key client.ObjectKey, kind string) ([]byte, error) {
	var ours any
	var err error
	if kind == "Deployment" {
		live := &appsv1.Deployment{}
		if err = r.Live.Get(ctx, key, live); err == nil {
			ours, err = appsv1ac.ExtractDeployment(live, apply.FieldOwner)
		}
	} else {
		live := &appsv1.StatefulSet{}
		if err = r.Live.Get(ctx, key, live); err == nil {
			ours, err = appsv1ac.ExtractStatefulSet(live, apply.FieldOwner)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", kind, key.Name, err)
	}
	raw, err := json.Marshal(ours)
	if err != nil {
		return nil, fmt.Errorf("encoding %s %s: %w", kind, key.Name, err)
	}
	return raw, nil
}

// countUpgrades keeps the metric of upgrades.
func (r *Reconciler) countUpgrades() {
	running, waiting := r.turns.counts()
	r.Metrics.upgrades.WithLabelValues("running").Set(float64(running))
	r.Metrics.upgrades.WithLabelValues("waiting").Set(float64(waiting))
}

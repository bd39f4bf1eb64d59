package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// FieldOwner owns every field of a child that a plan sets.
const FieldOwner = "p2pstream-workloads"

// Applier writes children.
type Applier struct {
	// Client writes.
	Client client.Client
	// Live reads past the cache: the cache holds only objects with our label, and an object that it does not
	// hold may have another owner.
	Live client.Reader
	// Count is told of each write and how it ended; may be nil.
	Count func(verb, kind, result string)
}

// Input is one stream, or one network, at one moment.
type Input struct {
	// Owner of the children: a *v1.P2PStream or a *v1.P2PNetwork.
	Owner client.Object
	Plan  plan.Plan
	// Children of the owner in the cache.
	Children map[plan.Ref]client.Object
	Now      time.Time
}

// Result is what one pass came to.
type Result struct {
	// Problems are the API server's refusals.
	Problems []diagnose.Problem
	// Settled: all planned objects exist, the cache shows them, and no unplanned child is left.
	Settled bool
	// Taken names Services that asked for the node port that they had before and that another Service has now.
	// The spec does not ask for that port, so the cluster may assign a new one.
	Taken []string
	// Adopted are objects without an owner that carried the stream's labels, and are its children now.
	Adopted []plan.Ref
	// RetryAfter is when a refused object is due again; zero when none is.
	RetryAfter time.Duration
	// Leaving: the namespace is being deleted. Nothing can be created in it, and no problem is reported.
	Leaving bool
	// Err joins the errors of requests that are to be retried at once.
	Err error
}

// Apply brings the children to the plan. A failure does not stop it from applying the other objects, except that a
// workload waits for the ConfigMap of its name: its pods would start with the old configuration, while the hash on
// them would name the new one.
func (a *Applier) Apply(ctx context.Context, in Input, m *Memory) Result {
	if m.objects == nil {
		m.objects = map[plan.Ref]*record{}
	}
	p := &pass{Applier: a, Input: in, memory: m, result: Result{Settled: true}, failed: map[string]bool{}}
	planned := map[plan.Ref]bool{}
	for _, ref := range in.Plan.Pending {
		planned[ref] = true
		p.result.Settled = false
	}
	for _, object := range in.Plan.Objects {
		planned[object.Ref] = true
		if ctx.Err() != nil || p.result.Leaving {
			p.result.Settled = false
			continue
		}
		if p.failed[object.Name] && (object.Kind == "Deployment" || object.Kind == "StatefulSet") {
			p.result.Settled = false
			continue
		}
		p.applyObject(ctx, object)
	}
	p.prune(ctx, planned)
	for ref := range m.objects {
		if !planned[ref] {
			delete(m.objects, ref)
		}
	}
	return p.result
}

// pass is one run of Apply.
type pass struct {
	*Applier
	Input
	memory *Memory
	result Result
	failed map[string]bool // names of ConfigMaps that could not be brought to the plan
}

// applyObject brings one object to the plan, or records why it could not.
func (p *pass) applyObject(ctx context.Context, object plan.Object) {
	live, rec := p.Children[object.Ref], p.memory.objects[object.Ref]
	if rec.settled(object.Hash, live) {
		rec.version = newer(rec.version, live.GetResourceVersion())
		p.result.Settled = p.result.Settled && rec.seen(live)
		p.watchDrift(rec)
		return
	}
	if rec != nil && rec.problem != nil && rec.hash == object.Hash && p.Now.Before(rec.next) {
		p.refuse(object, rec)
		return
	}
	if live != nil && live.GetDeletionTimestamp() != nil {
		p.result.Settled = false // it is created again when this one is gone, which is an event
		return
	}
	again := rec.sentBefore(object.Hash)
	if again && p.Now.Before(rec.drift.due) {
		p.result.Settled = false
		p.watchDrift(rec)
		p.retryAt(rec.drift.due)
		return
	}
	if live == nil {
		if writable, err := p.nameAvailable(ctx, object, rec); err != nil {
			p.fail(object, rec, err)
			return
		} else if !writable {
			p.result.Settled = false
			return
		}
	}
	var contested *diagnose.Problem
	if again && rec.drift.repairs >= contestedAfter-1 {
		contested = p.contest(ctx, object)
	}
	err := p.Client.Apply(ctx, object.Apply, client.FieldOwner(FieldOwner), client.ForceOwnership)
	p.count("apply", object.Kind, err)
	if err != nil {
		p.fail(object, rec, err)
		return
	}
	answer, err := metadata(object.Apply)
	if err != nil {
		p.result.Err = errors.Join(p.result.Err, err)
		return
	}
	if live == nil || live.GetResourceVersion() != answer.ResourceVersion {
		p.result.Settled = false
	}
	next := &record{hash: object.Hash, uid: answer.UID, version: answer.ResourceVersion,
		generation: answer.Generation, metadataHash: metadataHash(answer)}
	if rec != nil {
		next.drift = rec.drift
	}
	if again && changed(live, answer) {
		next.drift.repaired(p.Now, contested)
	}
	p.memory.objects[object.Ref] = next
	p.watchDrift(next)
}

// nameAvailable tells whether an object that the cache does not hold may be written: it does not exist, or it is
// the stream's child although the cache does not show it. False without an error means to wait.
func (p *pass) nameAvailable(ctx context.Context, object plan.Object, rec *record) (bool, error) {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(gvk(object.Kind))
	err := p.Live.Get(ctx, client.ObjectKey{Namespace: p.Owner.GetNamespace(), Name: object.Name}, found)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	switch {
	case rec != nil && rec.hash == object.Hash && rec.uid == found.UID && rec.version == found.ResourceVersion:
		return false, nil // created a moment ago; the cache does not show it yet
	case metav1.IsControlledBy(found, p.Owner):
		return found.DeletionTimestamp == nil, nil
	case orphan(found, p.Owner):
		if found.DeletionTimestamp == nil {
			p.result.Adopted = append(p.result.Adopted, object.Ref)
		}
		return found.DeletionTimestamp == nil, nil
	}
	if owner := metav1.GetControllerOf(found); owner != nil && owner.Kind == kindOf(p.Owner) && owner.Name == p.Owner.GetName() {
		return false, nil // the child of a deleted owner of the same name; it is garbage-collected
	}
	return false, &foreignObjectError{object.Ref}
}

// orphan tells whether an object without a controller was a child of a stream of this name: a backup was restored, which leaves
// owners out, or a stream was deleted without its children. Applying the plan makes it a child again.
func orphan(found, owner client.Object) bool {
	labels := found.GetLabels()
	return metav1.GetControllerOf(found) == nil && labels[OwnerLabel(owner)] == owner.GetName() && labels[plan.LabelManagedBy] == plan.ManagedBy
}

// OwnerLabel is the label that holds the name of a child's owner.
func OwnerLabel(owner client.Object) string {
	if _, is := owner.(*v1.P2PNetwork); is {
		return plan.LabelNetwork
	}
	return plan.LabelStream
}

// kindOf is the kind of an owner; the objects of a client do not always know theirs.
func kindOf(owner client.Object) string {
	if _, is := owner.(*v1.P2PNetwork); is {
		return v1.NetworkKind
	}
	return v1.Kind
}

// prune deletes children of the stream that are not planned.
func (p *pass) prune(ctx context.Context, planned map[plan.Ref]bool) {
	if p.result.Leaving {
		return
	}
	for ref, live := range p.Children {
		if planned[ref] || live.GetDeletionTimestamp() != nil || !Owned(live, p.Owner) {
			continue
		}
		p.result.Settled = false
		uid := live.GetUID()
		target := &metav1.PartialObjectMetadata{}
		target.SetGroupVersionKind(gvk(ref.Kind))
		target.SetNamespace(live.GetNamespace())
		target.SetName(live.GetName())
		err := client.IgnoreNotFound(p.Client.Delete(ctx, target, client.Preconditions{UID: &uid},
			client.PropagationPolicy(metav1.DeletePropagationBackground)))
		p.count("delete", ref.Kind, err)
		if err != nil {
			p.result.Err = errors.Join(p.result.Err, fmt.Errorf("deleting %s %s: %w", ref.Kind, ref.Name, err))
		}
	}
}

// Owned tells whether an object is a child of this stream or network, by both its owner's UID and its label.
func Owned(o, owner client.Object) bool {
	return metav1.IsControlledBy(o, owner) && o.GetLabels()[OwnerLabel(owner)] == owner.GetName()
}

// retryAt asks for a run at that time.
func (p *pass) retryAt(due time.Time) {
	if wait := due.Sub(p.Now); p.result.RetryAfter == 0 || wait < p.result.RetryAfter {
		p.result.RetryAfter = wait
	}
}

func (p *pass) count(verb, kind string, err error) {
	if p.Count == nil {
		return
	}
	result := "ok"
	if err != nil {
		result = "error"
	}
	p.Count(verb, kind, result)
}

func newer(a, b string) string {
	if older(a, b) {
		return b
	}
	return a
}

func gvk(kind string) schema.GroupVersionKind {
	for _, known := range plan.Kinds() {
		if known.Kind == kind {
			return known
		}
	}
	return schema.GroupVersionKind{Version: "v1", Kind: kind}
}

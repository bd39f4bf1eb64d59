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
	// Live reads past the cache: the cache knows only objects with our label, and what it does not know may
	// be somebody else's.
	Live client.Reader
	// Count is told of each write and how it ended; may be nil.
	Count func(verb, kind, result string)
}

// Input is one stream at one moment.
type Input struct {
	Stream *v1.P2PStream
	Plan   plan.Plan
	// Children of the stream in the cache.
	Children map[plan.Ref]client.Object
	Now      time.Time
}

// Result is what one pass came to.
type Result struct {
	// Problems that the API server's refusals are.
	Problems []diagnose.Problem
	// Settled: all that is planned is there, the cache shows it, and nothing else is left.
	Settled bool
	// Taken names Services that asked for the node port they had before, which has gone to something else
	// since. Nobody wrote that port into a spec, so another will do.
	Taken []string
	// RetryAfter is when a refused object is due again; zero when none is.
	RetryAfter time.Duration
	// Leaving: the namespace is being deleted, so that nothing can be made and nothing should be said.
	Leaving bool
	// Err joins what went wrong on the way to the API server and is worth trying again at once.
	Err error
}

// Apply brings the children to the plan. One failure never keeps it from the other objects, except that a
// workload waits for the ConfigMap of its name: its pods would start with what was there before, and the
// hash on them would say otherwise.
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
		p.one(ctx, object)
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

// one brings one object to the plan, or notes why not.
func (p *pass) one(ctx context.Context, object plan.Object) {
	live, rec := p.Children[object.Ref], p.memory.objects[object.Ref]
	if rec.settled(object.Hash, live) {
		rec.version = newer(rec.version, live.GetResourceVersion())
		p.result.Settled = p.result.Settled && rec.seen(live)
		return
	}
	if rec != nil && rec.problem != nil && rec.hash == object.Hash && p.Now.Before(rec.next) {
		p.refuse(object, rec)
		return
	}
	if live != nil && live.GetDeletionTimestamp() != nil {
		p.result.Settled = false // what is made anew comes when this is gone; that is an event
		return
	}
	if live == nil {
		if free, err := p.free(ctx, object, rec); err != nil {
			p.fail(object, rec, err)
			return
		} else if !free {
			p.result.Settled = false
			return
		}
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
	p.memory.objects[object.Ref] = &record{hash: object.Hash, uid: answer.UID, version: answer.ResourceVersion,
		generation: answer.Generation, face: face(answer)}
	if live == nil || live.GetResourceVersion() != answer.ResourceVersion {
		p.result.Settled = false
	}
}

// free tells whether an object that the cache does not know may be written: it does not exist, or it is
// ours all the same. False without an error means to wait.
func (p *pass) free(ctx context.Context, object plan.Object, rec *record) (bool, error) {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(gvk(object.Kind))
	err := p.Live.Get(ctx, client.ObjectKey{Namespace: p.Stream.Namespace, Name: object.Name}, found)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	switch {
	case rec != nil && rec.hash == object.Hash && rec.uid == found.UID && rec.version == found.ResourceVersion:
		return false, nil // made a moment ago, and the cache is on its way
	case metav1.IsControlledBy(found, p.Stream):
		return found.DeletionTimestamp == nil, nil
	}
	if owner := metav1.GetControllerOf(found); owner != nil && owner.Kind == v1.Kind && owner.Name == p.Stream.Name {
		return false, nil // of a stream of this name that was deleted; it goes away by itself
	}
	return false, &strangerError{object.Ref}
}

// prune deletes what is ours and not planned.
func (p *pass) prune(ctx context.Context, planned map[plan.Ref]bool) {
	if p.result.Leaving {
		return
	}
	for ref, live := range p.Children {
		if planned[ref] || live.GetDeletionTimestamp() != nil || !Owned(live, p.Stream) {
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

// Owned tells whether an object is a child of this very stream, by both its owner and its label.
func Owned(o client.Object, stream *v1.P2PStream) bool {
	return metav1.IsControlledBy(o, stream) && o.GetLabels()[plan.LabelStream] == stream.Name
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

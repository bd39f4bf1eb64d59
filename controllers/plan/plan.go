package plan

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Plan is what a stream should have.
type Plan struct {
	// Objects in the order in which they are to be applied.
	Objects []Object
	// Pending are children that wait for a fact, such as a node port that is not allocated yet. They are
	// not applied now, and those that exist are not pruned.
	Pending []Ref
	// Endpoints are for status, and are what the tracker hands out.
	Endpoints v1.EndpointsStatus
	// SeederSelector selects the seeder pods, as text, for the scale subresource.
	SeederSelector string
	// Warnings are true of this plan and worth a condition's reason; they do not keep it from serving.
	Warnings []Warning
}

// Ref names a child in the stream's namespace.
type Ref struct {
	Kind string
	Name string
}

// Object is one child.
type Object struct {
	Ref
	// Apply is the configuration to apply, as the only owner of its fields.
	Apply runtime.ApplyConfiguration
	// Hash changes when, and only when, Apply does.
	Hash string
}

// Warning is something that works, but not as people may expect.
type Warning struct {
	// Condition and Reason are those of api/v1.
	Condition string
	Reason    string
	// Message names the field and the next step.
	Message string
}

// Kinds are the kinds of children, in the order of their first use; owned objects of these kinds that
// are in no plan are to be pruned.
func Kinds() []schema.GroupVersionKind {
	return []schema.GroupVersionKind{
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Service"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "StatefulSet"},
	}
}

// InvalidError says that a stream cannot be planned until its spec changes.
type InvalidError struct{ err error }

// Error names the field and what is wrong with it.
func (e *InvalidError) Error() string { return e.err.Error() }

// Unwrap returns what was found.
func (e *InvalidError) Unwrap() error { return e.err }

// Make plans a stream. An *InvalidError means that the stream's spec must change; any other error, that
// the facts are not usable.
func Make(stream *v1.P2PStream, facts Facts) (Plan, error) {
	if facts.Image == "" {
		return Plan{}, errors.New("planning stream: no image is known for its pods")
	}
	if errs := stream.Validate(); len(errs) > 0 {
		return Plan{}, &InvalidError{errs.ToAggregate()}
	}
	return Plan{}, fmt.Errorf("planning stream: %s has no children yet", stream.Name)
}

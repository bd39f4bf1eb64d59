package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// foreignObjectError means that an object of the planned name exists and is not a child of the stream.
type foreignObjectError struct{ ref plan.Ref }

func (e *foreignObjectError) Error() string {
	return fmt.Sprintf("%s %s exists and does not belong to this stream", e.ref.Kind, e.ref.Name)
}

// fail sorts an error: a refusal of the API server is a problem of this stream; any other error is retried.
func (p *pass) fail(object plan.Object, rec *record, err error) {
	p.result.Settled = false
	if object.Kind == "ConfigMap" {
		p.failed[object.Name] = true
	}
	if leaving(err) {
		p.result.Leaving = true
		return
	}
	problem, forget := explain(err, object.Ref, object.Exposes)
	if forget {
		p.result.Taken = append(p.result.Taken, object.Name)
		return
	}
	if problem == nil {
		p.result.Err = errors.Join(p.result.Err, fmt.Errorf("applying %s %s: %w", object.Kind, object.Name, err))
		return
	}
	if rec == nil {
		rec = &record{}
		p.memory.objects[object.Ref] = rec
	}
	rec.refused(object.Hash, *problem, p.Now)
	p.refuse(object, rec)
}

// refuse reports a refusal that still stands.
func (p *pass) refuse(object plan.Object, rec *record) {
	p.result.Settled = false
	if object.Kind == "ConfigMap" {
		p.failed[object.Name] = true
	}
	p.result.Problems = append(p.result.Problems, *rec.problem)
	p.retryAt(rec.next)
}

// explain turns the API server's refusal into a problem; into nil when the same request may succeed the next time.
// Exposes is what the object makes reachable, or nil. With forget, the object asked for what the cluster had assigned to
// it before and no longer gives.
func explain(err error, ref plan.Ref, exposes *exposure.Target) (problem *diagnose.Problem, forget bool) {
	problem = &diagnose.Problem{Component: component(ref), Reason: v1.ReasonApplyFailed, Stalls: true}
	if exposes != nil {
		if refusal := exposes.Strategy().Refused(*exposes, err, causes(err)); refusal != nil {
			problem.Reason, problem.Message = refusal.Reason, refusal.Message
			return problem, refusal.Forget
		}
	}
	var foreign *foreignObjectError
	text := diagnose.Clean(err.Error())
	switch {
	case errors.As(err, &foreign):
		problem.Message = text + ", so the operator does not change it. Delete or rename it, or give the stream another name."
	case apierrors.IsForbidden(err):
		problem.Message = fmt.Sprintf("The operator may not write %s %s: %s. Grant it the roles that p2pstream ships, or change the policy that forbids the write.", ref.Kind, ref.Name, strings.TrimSuffix(text, "."))
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		problem.Message = fmt.Sprintf("The API server refuses %s %s: %s. Change the spec. If a field of the object cannot be changed, delete the object; the operator then creates it again.", ref.Kind, ref.Name, causes(err))
	default:
		return nil, false
	}
	return problem, false
}

// causes returns what the API server found, without the preamble that repeats the object.
func causes(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Details != nil && len(status.Status().Details.Causes) > 0 {
		var all []string
		for _, c := range status.Status().Details.Causes {
			all = append(all, strings.TrimPrefix(c.Field+": ", ": ")+c.Message)
		}
		return strings.TrimSuffix(diagnose.Clean(strings.Join(all, "; ")), ".")
	}
	return strings.TrimSuffix(diagnose.Clean(err.Error()), ".")
}

// leaving tells whether the namespace is being deleted, or is gone.
func leaving(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || apierrors.IsNotFound(err)
}

// component of an object, by its name: names are made of the stream's name, a dash and the component.
func component(ref plan.Ref) string {
	for _, c := range []string{plan.ComponentTracker, plan.ComponentSTUN, plan.ComponentSeeder} {
		if strings.HasSuffix(ref.Name, "-"+c) || strings.Contains(ref.Name, "-"+c+"-") {
			return c
		}
	}
	if edgeObject.MatchString(ref.Name) {
		return plan.ComponentEdge
	}
	return ""
}

// edgeObject is what names of objects of a site's seeders end with.
var edgeObject = regexp.MustCompile(`-e[a-z2-7]{5}(-[0-9]+)?$`)

// metadata reads what the API server answered out of the configuration that it answered into.
func metadata(applied runtime.ApplyConfiguration) (*metav1.PartialObjectMetadata, error) {
	raw, err := json.Marshal(applied)
	if err != nil {
		return nil, fmt.Errorf("encoding answer: %w", err)
	}
	answer := &metav1.PartialObjectMetadata{}
	if err := json.Unmarshal(raw, answer); err != nil {
		return nil, fmt.Errorf("decoding answer: %w", err)
	}
	return answer, nil
}

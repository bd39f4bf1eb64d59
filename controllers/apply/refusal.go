package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// strangerError: an object of the planned name exists and is somebody else's.
type strangerError struct{ ref plan.Ref }

func (e *strangerError) Error() string {
	return fmt.Sprintf("%s %s exists and does not belong to this stream", e.ref.Kind, e.ref.Name)
}

// fail sorts an error: what the API server refuses is a problem of this stream, all else is tried again.
func (p *pass) fail(object plan.Object, rec *record, err error) {
	p.result.Settled = false
	if object.Kind == "ConfigMap" {
		p.failed[object.Name] = true
	}
	if leaving(err) {
		p.result.Leaving = true
		return
	}
	asked := nodePortField(p.Stream, object.Name)
	if portTaken(err) && asked == "" {
		p.result.Taken = append(p.result.Taken, object.Name)
		return
	}
	problem := read(err, object.Ref, asked)
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
	if wait := rec.next.Sub(p.Now); p.result.RetryAfter == 0 || wait < p.result.RetryAfter {
		p.result.RetryAfter = wait
	}
}

// read turns a refusal into a problem, or into nil when it is none: when the same may go well the next time.
func read(err error, ref plan.Ref, nodePort string) *diagnose.Problem {
	var stranger *strangerError
	problem := &diagnose.Problem{Component: component(ref), Reason: v1.ReasonApplyFailed, Stalls: true}
	text := diagnose.Clean(err.Error())
	switch {
	case errors.As(err, &stranger):
		problem.Message = text + ", so the operator leaves it alone. Delete or rename it, or give the stream another name."
	case portTaken(err):
		problem.Reason = v1.ReasonNodePortTaken
		problem.Message = fmt.Sprintf("%s: the port is already used by another Service. Free it, choose another, or leave the field out for the cluster to choose.", nodePort)
	case nodePort != "" && strings.Contains(err.Error(), "provided port is not in the valid range"):
		problem.Reason = v1.ReasonInvalidSpec
		problem.Message = fmt.Sprintf("%s: the cluster does not give out that port: %s. Choose one of that range, or leave the field out.", nodePort, causes(err))
	case apierrors.IsForbidden(err):
		problem.Message = fmt.Sprintf("The operator may not write %s %s: %s. Let it, with the roles it is shipped with, or change the policy that forbids it.", ref.Kind, ref.Name, strings.TrimSuffix(text, "."))
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		problem.Message = fmt.Sprintf("The API server refuses %s %s: %s. Change the spec; if the object's own fields cannot be changed, delete the object and the operator makes it anew.", ref.Kind, ref.Name, causes(err))
	default:
		return nil
	}
	return problem
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

func portTaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "provided port is already allocated")
}

// leaving: the namespace is on its way out, or gone.
func leaving(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || apierrors.IsNotFound(err)
}

// nodePortField names the field that asked for a Service's node port, or is empty when none did.
func nodePortField(stream *v1.P2PStream, service string) string {
	spec := &stream.Spec
	switch {
	case service == plan.TrackerName(stream.Name) && spec.Tracker != nil && spec.Tracker.Exposure != nil && spec.Tracker.Exposure.NodePort != nil:
		return fmt.Sprintf("spec.tracker.exposure.nodePort %d", *spec.Tracker.Exposure.NodePort)
	case service == plan.STUNName(stream.Name) && spec.STUN != nil && spec.STUN.Exposure != nil && spec.STUN.Exposure.NodePort != nil:
		return fmt.Sprintf("spec.stun.exposure.nodePort %d", *spec.STUN.Exposure.NodePort)
	}
	return ""
}

// component of an object, by its name: names are made of the stream's name, a dash and the component.
func component(ref plan.Ref) string {
	for _, c := range []string{plan.ComponentTracker, plan.ComponentSTUN, plan.ComponentSeeder} {
		if strings.HasSuffix(ref.Name, "-"+c) || strings.Contains(ref.Name, "-"+c+"-") {
			return c
		}
	}
	return ""
}

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

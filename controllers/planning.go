package controllers

import (
	"errors"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// planned is a plan, or the problem for which there is none.
type planned struct {
	plan     *plan.Plan
	problems []diagnose.Problem
}

// plan computes the children that the spec asks for.
func (r *Reconciler) plan(n *run) planned {
	defer r.Metrics.phase("plan", r.Now)()
	if a := n.network; a != nil && a.refused != nil {
		return planned{} // what runs is left as it is
	}
	facts := n.decision.facts
	facts.Network = r.attachmentFacts(n)
	facts.Image, facts.PullPolicy, facts.Pods = r.Image, r.PullPolicy, r.Pods
	facts.NetworkPolicies, facts.Installation = r.NetworkPolicies, r.Installation
	facts.Operators = r.operatorHashes(n)
	return makePlan(n.stream, facts)
}

// attachmentFacts are what the plan of an attached stream needs of its network.
func (r *Reconciler) attachmentFacts(n *run) *plan.Attachment {
	a := n.network
	if a == nil {
		return nil
	}
	facts := &plan.Attachment{Namespace: a.key.Namespace, Name: a.key.Name, Served: a.served,
		TokenSecret: seederSecret(n.stream.Name, r.Key().seederToken(n.stream.UID))}
	facts.Pods = a.network.Spec.Pods
	if e := a.network.Status.Endpoints; e != nil {
		facts.URL, facts.STUN = e.URL, e.STUN
	}
	return facts
}

// makePlan is pure.
func makePlan(stream *v1.P2PStream, facts plan.Facts) planned {
	return planResult(plan.Make(stream, facts))
}

func planResult(p plan.Plan, err error) planned {
	if err == nil {
		return planned{plan: &p}
	}
	problem := diagnose.Problem{Reason: v1.ReasonApplyFailed, Stalls: true,
		Message: diagnose.Clean(err.Error()) + ". Restart the operator with the missing setting"}
	var invalid *plan.InvalidError
	if errors.As(err, &invalid) {
		problem.Reason = v1.ReasonInvalidSpec
		problem.Message = diagnose.Clean(err.Error()) + ". Change that field; the running pods are left unchanged until then"
	}
	return planned{problems: []diagnose.Problem{problem}}
}

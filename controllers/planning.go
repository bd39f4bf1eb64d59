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
	facts := n.decision.facts
	facts.Image, facts.PullPolicy, facts.Pods = r.Image, r.PullPolicy, r.Pods
	facts.NetworkPolicies, facts.Installation = r.NetworkPolicies, r.Installation
	return makePlan(n.stream, facts)
}

// makePlan is pure.
func makePlan(stream *v1.P2PStream, facts plan.Facts) planned {
	p, err := plan.Make(stream, facts)
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

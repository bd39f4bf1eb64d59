package controllers

import (
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
)

// stallAfter is the default of Options.StallAfter. A rollout by GitOps tools creates Secrets and registry credentials within
// seconds, and a quota or a webhook recovers within a minute.
const stallAfter = 2 * time.Minute

// hold keeps problems that may heal from stalling the stream at once.
func (r *Reconciler) hold(n *run) []diagnose.Problem {
	failing := map[string]bool{}
	for component := range n.snapshot.waiting {
		failing[component] = true
	}
	failing[""] = n.network != nil && n.network.refused != nil || len(r.Key()) < MinKey
	return n.memory.patience.Hold(n.decision.problems, n.stream.Generation, failing, stalledFor(n.stream), r.StallAfter, r.Now())
}

// stalledFor is the reason for which the current generation of a stream is stalled, or empty.
func stalledFor(stream *v1.P2PStream) string {
	for _, c := range stream.Status.Conditions {
		if c.Type == v1.ConditionStalled && c.Status == "True" && c.ObservedGeneration == stream.Generation {
			return c.Reason
		}
	}
	return ""
}

package controllers

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
)

// operatorToken is what the trackers that a stream is served by ask the operator for; empty while there is no key.
func (r *Reconciler) operatorToken(n *run) poll.Token {
	key := r.Key()
	switch {
	case len(key) < MinKey:
		return ""
	case n.network != nil && n.network.served:
		return poll.Token(key.tableToken(n.network.network.UID))
	}
	return poll.Token(key.operatorToken(n.stream.UID))
}

// operatorHashes are what the stream's own tracker is told of that token. An operator that has just started may not have read its
// key yet: what the tracker was told before stays, so that it does not open its door for a moment.
func (r *Reconciler) operatorHashes(n *run) []string {
	if key := r.Key(); len(key) >= MinKey {
		return hashes(key.operatorToken(n.stream.UID))
	}
	if !r.keyed {
		return nil
	}
	before, is := n.snapshot.children[plan.Ref{Kind: "ConfigMap", Name: plan.TrackerName(n.stream.Name)}].(*corev1.ConfigMap)
	if !is {
		return nil
	}
	var kept []string
	if err := json.Unmarshal([]byte(before.Data[plan.FileOperators]), &kept); err != nil {
		return nil
	}
	return kept
}

package controllers

import (
	"context"
	"errors"
	"time"

	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
)

// tokenEvery is how often the token Secret is created again in case it was deleted: the operator may not read Secrets.
const tokenEvery = 10 * time.Minute

// apply writes the children as planned, unless there is no plan or the stream is suspended.
func (r *Reconciler) apply(ctx context.Context, n *run) apply.Result {
	defer r.Metrics.phase("apply", r.Now)()
	if n.planned.plan == nil || !n.decision.change {
		return apply.Result{}
	}
	m, now := n.memory, r.Now()
	var result apply.Result
	if n.decision.token || m.tokenAt.IsZero() || m.tokenShared != (n.network != nil) || now.Sub(m.tokenAt) >= tokenEvery {
		problem, err := r.token(ctx, n)
		if problem != nil {
			result.Problems = append(result.Problems, *problem)
		}
		if problem == nil && err == nil {
			m.tokenAt, m.tokenShared = now, n.network != nil
		}
		result.Err = err
	}
	done := r.applier.Apply(ctx, apply.Input{Owner: n.stream, Plan: *n.planned.plan, Children: n.snapshot.children, Now: now}, &m.children)
	done.Problems = append(result.Problems, done.Problems...)
	done.Err = errors.Join(result.Err, done.Err)
	done.Settled = done.Settled && len(done.Problems) == 0 && done.Err == nil
	for _, ref := range done.Adopted {
		logger(ctx).Info("adopted an object that had no owner", "kind", ref.Kind, "object", ref.Name)
	}
	for _, service := range done.Taken {
		logger(ctx).Info("the cluster has assigned the node port to another Service; asking for a new one", "service", service, "port", n.snapshot.observed[service].NodePort)
		delete(m.observed, service)
	}
	return done
}

// token makes the Secret with the token of the stream's seeders.
func (r *Reconciler) token(ctx context.Context, n *run) (*diagnose.Problem, error) {
	if n.network == nil {
		return r.applier.Token(ctx, n.stream)
	}
	token := r.Key().seederToken(n.stream.UID)
	return r.applier.Secret(ctx, n.stream, seederSecret(n.stream.Name, token), token)
}

package controllers

import (
	"context"
	"errors"
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// tokenEvery is how often the token Secret is made anew in case it is gone. The operator cannot look.
const tokenEvery = 10 * time.Minute

// apply brings children to the plan, where there is one and the spec lets it.
func (r *Reconciler) apply(ctx context.Context, stream *v1.P2PStream, s *snapshot, m *memory, p *plan.Plan, d decision) apply.Result {
	defer r.Metrics.phase("apply", r.Now)()
	if p == nil || !d.change {
		return apply.Result{}
	}
	now := r.Now()
	var result apply.Result
	if d.token || m.tokenAt.IsZero() || now.Sub(m.tokenAt) >= tokenEvery {
		problem, err := r.applier.Token(ctx, stream)
		if problem != nil {
			result.Problems = append(result.Problems, *problem)
		}
		if problem == nil && err == nil {
			m.tokenAt = now
		}
		result.Err = err
	}
	done := r.applier.Apply(ctx, apply.Input{Stream: stream, Plan: *p, Children: s.children, Now: now}, &m.children)
	done.Problems = append(result.Problems, done.Problems...)
	done.Err = errors.Join(result.Err, done.Err)
	done.Settled = done.Settled && len(done.Problems) == 0 && done.Err == nil
	for _, service := range done.Taken {
		logger(ctx).Info("node port has gone to something else, taking another", "service", service, "port", m.ports[service])
		delete(m.ports, service)
	}
	return done
}

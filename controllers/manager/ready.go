package manager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// caches is ready once everything that the loop reads is in the cache. Nothing can be reconciled before.
type caches struct {
	cache cache.Cache
	kinds []client.Object
	full  atomic.Bool
}

// Start implements manager.Runnable.
func (c *caches) Start(ctx context.Context) error {
	for _, kind := range c.kinds {
		if _, err := c.cache.GetInformer(ctx, kind); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the manager ends, and that is no failure
			}
			return fmt.Errorf("filling the cache of %T: %w", kind, err)
		}
	}
	c.full.Store(true)
	<-ctx.Done()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: an operator that waits for its turn fills its caches too.
func (c *caches) NeedLeaderElection() bool { return false }

var (
	errFilling = errors.New("the caches are not filled yet")
	errRefused = errors.New("the operator may watch none of its namespaces: see its log")
)

// check implements healthz.Checker.
func (c *caches) check(*http.Request) error {
	switch {
	case len(c.kinds) == 0:
		return errRefused
	case !c.full.Load():
		return errFilling
	}
	return nil
}

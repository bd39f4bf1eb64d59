package loader

import (
	"context"
	"slices"
)

// joinFreed has renditions join the swarms that another one with the same identity had until it left them.
func (e *Engine) joinFreed(ctx context.Context) {
	e.mu.Lock()
	all := slices.Clone(e.renditions)
	e.mu.Unlock()
	for _, r := range all {
		if r.Unjoined(e.SwarmID(), e.isFree) {
			e.rejoin(ctx, r)
		}
	}
}

// shareAgain is joinFreed on demand.
func (e *Engine) shareAgain() {
	e.mu.Lock()
	ctx, stopped := e.demand.ctx, e.demand.stopped
	e.mu.Unlock()
	if !stopped {
		e.joinFreed(ctx)
	}
}

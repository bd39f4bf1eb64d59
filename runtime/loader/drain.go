package loader

import (
	"context"
	"time"
)

// A peer that leaves checks this often whether anything is being sent, and
// leaves when nothing was for a moment: a request may be on its way to it.
const (
	drainTick  = 50 * time.Millisecond
	drainQuiet = 10 // ticks
)

// Drain sends peers elsewhere: it leaves all trackers, so that no new peer
// connects, and tells peers that nothing is held here any more, so that they ask
// other peers. Uploads that were requested before are completed. A seeder fetches
// nothing more; a viewer plays on.
//
// It returns when no peer is connected, when all uploads are complete and no
// peer requests another one, or when ctx ends. Connections stay open.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.drained = true
	renditions := e.renditions
	e.mu.Unlock()
	for _, r := range renditions {
		r.Withdraw()
	}
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for quiet := 0; quiet < drainQuiet && e.Peers() > 0; {
		if e.shared.Uplink.Active() > 0 || (e.shared.Node != nil && e.shared.Node.Unsent() > 0) {
			quiet = 0
		} else {
			quiet++
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (e *Engine) draining() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.drained
}

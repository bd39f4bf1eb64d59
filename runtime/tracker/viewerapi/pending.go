package viewerapi

import (
	"context"
	"time"
)

// pending is something that runs and that requests wait for. Its zero value has ended. A mutex of its owner guards it;
// wait takes a copy.
type pending struct {
	since time.Time
	done  chan struct{} // closed at the end
}

func (p *pending) running() bool { return !p.since.IsZero() }

// begin does nothing if it runs already.
func (p *pending) begin(now time.Time) {
	if !p.running() {
		p.since, p.done = now, make(chan struct{})
	}
}

func (p *pending) end() {
	if p.running() {
		close(p.done)
		p.since = time.Time{}
	}
}

// wait returns when it has ended or has run for most, and tells which. A request that comes late waits for less.
func (p pending) wait(ctx context.Context, most time.Duration) (ended bool) {
	if !p.running() {
		return true
	}
	left := most - time.Since(p.since)
	if left <= 0 {
		return false
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-p.done:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

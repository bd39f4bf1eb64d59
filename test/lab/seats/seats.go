// Package seats limits how much of the machine the tests of a suite use at once. Playing a tab is cheap and starting one
// is expensive, so a pool bounds both: as many tabs play at once as it has seats, and few things start at once. One whose
// speed is measured starts alone.
package seats

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// Pool is a number of seats. Its methods may be called from any goroutine.
type Pool struct {
	size int

	mu        sync.Mutex
	free      int
	waiting   []*request
	gathering bool // requests are not served yet

	alone    chan struct{} // has an element while a start is measured, or waits for those before it
	calm     *calm         // nil: starts do not look at the processors
	starting chan struct{} // has an element for each start that is under way, and is full while one is measured
}

// startsAtOnce is how many starts that are not measured may be under way.
const startsAtOnce = 2

// gather is how long an idle pool waits for more requests: parallel tests begin together, and those that need many seats
// must not find them taken by those that need one, and run last, alone.
const gather = 250 * time.Millisecond

// request waits for seats. granted is closed when it has them.
type request struct {
	seats   int
	granted chan struct{}
}

// New makes a pool of so many seats, 1 at least.
func New(size int) *Pool {
	return &Pool{
		size: max(size, 1), free: max(size, 1),
		alone: make(chan struct{}, 1), starting: make(chan struct{}, startsAtOnce),
	}
}

// Acquire waits for n seats and returns the function that gives them back, which may be called more than once. Of
// several requests that fit, the one for the most seats is served first, so that the small ones fill the gaps. Errors:
// the pool is smaller than n, and that of the context.
func (p *Pool) Acquire(ctx context.Context, n int) (release func(), err error) {
	if n > p.size {
		return nil, fmt.Errorf("acquiring %d seats: the pool has only %d", n, p.size)
	}
	r := &request{seats: n, granted: make(chan struct{})}
	p.mu.Lock()
	if p.free == p.size && len(p.waiting) == 0 {
		p.gathering = true
		time.AfterFunc(gather, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.gathering = false
			p.grant()
		})
	}
	p.waiting = append(p.waiting, r)
	p.grant()
	p.mu.Unlock()
	release = sync.OnceFunc(func() { p.give(n) })
	select {
	case <-r.granted:
		return release, nil
	case <-ctx.Done():
		p.cancel(r)
		return nil, fmt.Errorf("acquiring %d seats: %w", n, ctx.Err())
	}
}

// Take is Acquire for tests: the seats are given back when the test ends.
func (p *Pool) Take(t testing.TB, n int) {
	t.Helper()
	release, err := p.Acquire(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
}

// Start calls f while at most one other start of the pool is under way, and none that is measured.
func (p *Pool) Start(f func()) {
	p.starting <- struct{}{}
	defer func() { <-p.starting }()
	p.calm.wait()
	f()
}

// StartAlone calls f while no other start of the pool is under way. It waits for those that are.
func (p *Pool) StartAlone(f func()) {
	p.alone <- struct{}{}
	defer func() { <-p.alone }()
	for range startsAtOnce {
		p.starting <- struct{}{}
		defer func() { <-p.starting }()
	}
	p.calm.wait()
	f()
}

// grant serves requests while any fits. The caller holds the lock.
func (p *Pool) grant() {
	for !p.gathering {
		best := -1
		for i, r := range p.waiting {
			if r.seats <= p.free && (best < 0 || r.seats > p.waiting[best].seats) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		p.free -= p.waiting[best].seats
		close(p.waiting[best].granted)
		p.waiting = slices.Delete(p.waiting, best, best+1)
	}
}

func (p *Pool) give(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free += n
	p.grant()
}

// cancel withdraws a request, which may have been served meanwhile.
func (p *Pool) cancel(r *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, r); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		return
	}
	p.free += r.seats
	p.grant()
}

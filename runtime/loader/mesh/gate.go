package mesh

import (
	"sync"
	"time"
)

// queueFactor is how many waiting handshakes there may be for each running one.
const queueFactor = 8

// gate bounds the handshakes that run at one time: each costs public-key work, and a storm of joins
// would otherwise slow every one of them past its timeout.
type gate struct {
	metrics *metrics
	limit   int

	mu      sync.Mutex
	running int
	waiting []gateJob
	closed  bool
}

type gateJob struct {
	deadline time.Time
	run      func(release func())
	drop     func()
}

func newGate(limit int, m *metrics) *gate { return &gate{limit: limit, metrics: m} }

// submit runs the job when a slot is free, in the caller or in the goroutine that frees the slot; the
// job must not block and must call release once. A job that is still waiting at its deadline is dropped.
// It reports false, without calling drop, when too many wait already.
func (g *gate) submit(job gateJob) bool {
	g.mu.Lock()
	switch {
	case g.closed:
		g.mu.Unlock()
		return false
	case g.running < g.limit:
		g.running++
		g.mu.Unlock()
		g.start(job)
		return true
	case len(g.waiting) >= g.limit*queueFactor:
		g.mu.Unlock()
		return false
	}
	g.waiting = append(g.waiting, job)
	g.mu.Unlock()
	g.metrics.queued.Inc()
	return true
}

func (g *gate) start(job gateJob) {
	g.metrics.handshakes.Inc()
	job.run(sync.OnceFunc(func() {
		g.metrics.handshakes.Dec()
		g.next(time.Now())
	}))
}

// next hands the freed slot to the longest waiting job that is still worth running.
func (g *gate) next(now time.Time) {
	for {
		g.mu.Lock()
		if len(g.waiting) == 0 {
			g.running--
			g.mu.Unlock()
			return
		}
		job := g.waiting[0]
		g.waiting[0] = gateJob{}
		g.waiting = g.waiting[1:]
		g.mu.Unlock()
		g.metrics.queued.Dec()
		if now.Before(job.deadline) {
			g.start(job)
			return
		}
		job.drop()
	}
}

// close drops everything that waits and refuses what comes.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	waiting := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	for _, job := range waiting {
		g.metrics.queued.Dec()
		job.drop()
	}
}

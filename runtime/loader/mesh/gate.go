package mesh

import (
	"sync"
	"time"
)

// queueFactor is how many waiting handshakes there may be for each running one.
const queueFactor = 8

// gate bounds the handshakes that run at one time: each costs public-key work, and a storm of joins
// would otherwise slow every one of them past its timeout. The newest goes first, and the oldest is dropped when
// too many wait: peers that join after a flood of forged offers need not wait for its end.
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
	drop     func(reason string)
}

func newGate(limit int, m *metrics) *gate { return &gate{limit: limit, metrics: m} }

// submit runs the job when a slot is free, in the caller or in the goroutine that frees the slot; the
// job must not block and must call release once. A job that is still waiting at its deadline is dropped.
// It reports false, without calling drop, when the gate is closed.
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
	}
	var oldest gateJob
	full := len(g.waiting) >= g.limit*queueFactor
	if full {
		oldest = g.waiting[0]
		g.waiting[0] = gateJob{}
		g.waiting = g.waiting[1:]
	}
	g.waiting = append(g.waiting, job)
	g.mu.Unlock()
	if full {
		oldest.drop(reasonQueue)
	} else {
		g.metrics.queued.Inc()
	}
	return true
}

func (g *gate) start(job gateJob) {
	g.metrics.handshakes.Inc()
	job.run(sync.OnceFunc(func() {
		g.metrics.handshakes.Dec()
		g.next(time.Now())
	}))
}

// next hands the freed slot to the newest job that waits and is still worth running.
func (g *gate) next(now time.Time) {
	for {
		g.mu.Lock()
		if len(g.waiting) == 0 {
			g.running--
			g.mu.Unlock()
			return
		}
		last := len(g.waiting) - 1
		job := g.waiting[last]
		g.waiting[last] = gateJob{}
		g.waiting = g.waiting[:last]
		g.mu.Unlock()
		g.metrics.queued.Dec()
		if now.Before(job.deadline) {
			g.start(job)
			return
		}
		job.drop(reasonStale)
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
		job.drop(reasonStale)
	}
}

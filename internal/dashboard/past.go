package dashboard

import (
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
)

// Past is a history that several goroutines use. It implements history.Shared.
type Past struct {
	mu   sync.Mutex
	ring *history.Ring
	last time.Time // of the newest sample
}

// NewPast returns an empty history.
func NewPast() *Past { return &Past{ring: history.New()} }

// Add adds a sample of a moment, made by a function that gets the time since the one before, 0 for the first.
func (p *Past) Add(at time.Time, sample func(elapsed time.Duration) history.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Duration(0)
	if !p.last.IsZero() {
		elapsed = at.Sub(p.last)
	}
	p.last = at
	p.ring.Add(sample(elapsed))
}

// Last returns the time of the newest sample; zero: there is none.
func (p *Past) Last() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// Query answers a query. Most of the work is done without the lock, so that who asks does not delay a sample.
func (p *Past) Query(q history.Query) history.Series { return p.view(q).Series() }

func (p *Past) view(q history.Query) history.View {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.View(q)
}

// Seconds returns how far the history reaches back.
func (p *Past) Seconds() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.Reach().Seconds()
}

// Names returns how many sites and renditions have a place of their own.
func (p *Past) Names() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.ring.Names())
}

// Step returns the shortest step in seconds.
func (p *Past) Step() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.ring.Step()) / 1000
}

// Held returns how much memory the history takes, and whether no viewer has been there for an hour.
func (p *Past) Held() (bytes int64, idle bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.Bytes(), p.ring.Idle()
}

// Thin makes the history smaller.
func (p *Past) Thin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.Thin()
}

// Refine makes its steps shorter.
func (p *Past) Refine() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.Refine()
}

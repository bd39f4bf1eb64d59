package viewerapi

import (
	"net/netip"
	"sync"
	"time"
)

// limiterSize bounds how many addresses are remembered in each of two generations.
const limiterSize = 8192

// limiter is a token bucket for each client address. A whole office may stand behind one address, so the limit protects
// the tracker and does not single out viewers; sessions have their own.
type limiter struct {
	rate  float64 // per second; negative: no limit
	burst float64

	mu             sync.Mutex
	recent, before map[netip.Addr]bucket // when recent is full it becomes before, and before is dropped
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(rate float64, burst int) *limiter {
	return &limiter{rate: rate, burst: float64(burst), recent: map[netip.Addr]bucket{}}
}

func (l *limiter) allow(addr netip.Addr, now time.Time) bool {
	if l.rate < 0 {
		return true
	}
	if addr.Is6() {
		// One subscriber has a whole /64.
		if p, err := addr.Prefix(64); err == nil {
			addr = p.Addr()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.recent[addr]
	if !ok {
		if b, ok = l.before[addr]; !ok {
			b = bucket{tokens: l.burst, at: now}
		}
		if len(l.recent) >= limiterSize {
			l.recent, l.before = make(map[netip.Addr]bucket, limiterSize), l.recent
		}
	}
	b.tokens = min(b.tokens+max(now.Sub(b.at).Seconds(), 0)*l.rate, l.burst)
	b.at = now
	allowed := b.tokens >= 1
	if allowed {
		b.tokens--
	}
	l.recent[addr] = b
	return allowed
}

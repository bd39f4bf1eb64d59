// Package addresses defines what counts as one client address, and limits rates by address. A whole office may share one
// address, so these limits protect the tracker and cannot single out one viewer.
package addresses

import (
	"net/netip"
	"sync"
	"time"
)

// Of returns the client address of a remote host:port; the zero address if it cannot be parsed.
func Of(remote string) netip.Addr {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return Key(from.Addr())
}

// Key returns what counts as one address: an IPv4 address, or the IPv6 /64, which belongs to one subscriber as a whole.
func Key(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// Remembered is how many addresses a Limiter remembers in each of two generations.
const Remembered = 8192

// Limiter is a token bucket for each address, in bounded memory.
type Limiter struct {
	rate  float64 // per second; negative: no limit
	burst float64

	mu             sync.Mutex
	recent, before map[netip.Addr]bucket // when recent is full it becomes before, and before is dropped
}

type bucket struct {
	tokens float64
	at     time.Time
}

// NewLimiter returns a limiter of rate per second and burst at once; a negative rate allows everything.
func NewLimiter(rate float64, burst int) *Limiter {
	return &Limiter{rate: rate, burst: float64(burst), recent: map[netip.Addr]bucket{}}
}

// Allow takes a token from an address's bucket and reports whether there was one.
func (l *Limiter) Allow(addr netip.Addr, now time.Time) bool {
	if l.rate < 0 {
		return true
	}
	addr = Key(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.recent[addr]
	if !ok {
		if b, ok = l.before[addr]; !ok {
			b = bucket{tokens: l.burst, at: now}
		}
		if len(l.recent) >= Remembered {
			l.recent, l.before = make(map[netip.Addr]bucket, Remembered), l.recent
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

// Size is how many addresses are remembered.
func (l *Limiter) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.recent) + len(l.before)
}

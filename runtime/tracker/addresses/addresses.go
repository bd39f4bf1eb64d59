// Package addresses defines what counts as one client address, and limits rates by address. A whole office may share one
// address, so these limits protect the tracker and cannot single out one viewer.
package addresses

import (
	"net/netip"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
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
	rate tokenbucket.Rate // PerSecond below 0: no limit

	mu             sync.Mutex
	began          time.Time                         // of the first call; the buckets count from here
	recent, before map[netip.Addr]tokenbucket.Bucket // when recent is full it becomes before, and before is dropped
}

// NewLimiter returns a limiter of rate per second and burst at once; a negative rate allows everything.
func NewLimiter(rate float64, burst int) *Limiter {
	return &Limiter{rate: tokenbucket.Rate{PerSecond: rate, Burst: float64(burst)}, recent: map[netip.Addr]tokenbucket.Bucket{}}
}

// Allow takes a token from an address's bucket and reports whether there was one.
func (l *Limiter) Allow(addr netip.Addr, now time.Time) bool {
	if l.rate.PerSecond < 0 {
		return true
	}
	addr = Key(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began.IsZero() {
		l.began = now
	}
	b, ok := l.recent[addr]
	if !ok {
		b = l.before[addr] // or a full bucket
		if len(l.recent) >= Remembered {
			l.recent, l.before = make(map[netip.Addr]tokenbucket.Bucket, Remembered), l.recent
		}
	}
	allowed := b.Take(l.rate, 1, now.Sub(l.began))
	l.recent[addr] = b
	return allowed
}

// Size is how many addresses are remembered.
func (l *Limiter) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.recent) + len(l.before)
}

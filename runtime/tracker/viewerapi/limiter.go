package viewerapi

import (
	"net/netip"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// limiter limits the requests of each client address; sessions are limited separately.
type limiter struct{ *addresses.Limiter }

func newLimiter(rate float64, burst int) *limiter { return &limiter{addresses.NewLimiter(rate, burst)} }

func (l *limiter) allow(addr netip.Addr, now time.Time) bool { return l.Allow(addr, now) }

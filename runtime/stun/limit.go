package stun

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
	"github.com/p2pstream/p2pstream/runtime/stun/config"
)

const (
	limitShards = 16
	// setWays is how many sources share a set of the table; a new source replaces
	// the one of its set that was silent for longest.
	setWays = config.RateTableWays
)

// limiter has one token bucket per source in a table of fixed size. If an
// attacker fills the table with forged sources, old entries are replaced; the
// table never grows.
type limiter struct {
	seed   maphash.Seed
	rate   tokenbucket.Rate
	sets   uint64 // per shard
	shards [limitShards]limitShard
}

type limitShard struct {
	mu      sync.Mutex
	buckets []bucket
	evicted uint64
}

// bucket is the state of one source; seen 0 means free.
type bucket struct {
	source uint64
	seen   int64 // nanoseconds
	tokens tokenbucket.Bucket
}

// newLimiter returns a limiter of rate requests per second, or nil for a rate
// that is not positive: a nil limiter allows everything.
func newLimiter(rate, burst float64, size int) *limiter {
	if rate <= 0 {
		return nil
	}
	l := &limiter{seed: maphash.MakeSeed(), rate: tokenbucket.Rate{PerSecond: rate, Burst: burst}}
	l.sets = uint64(max(1, size/limitShards/setWays)) // positive
	for i := range l.shards {
		l.shards[i].buckets = make([]bucket, l.sets*setWays)
	}
	return l
}

// sourceKey is what counts as one source: an IPv4 address or an IPv6 /64,
// because an attacker owns the whole of the latter.
func sourceKey(a netip.Addr) (k [9]byte) {
	a = a.Unmap()
	if a.Is4() {
		b := a.As4()
		k[0] = 4
		copy(k[1:], b[:])
		return k
	}
	b := a.As16()
	k[0] = 6
	copy(k[1:], b[:8])
	return k
}

// allow takes one token of the source a at the time now (nanoseconds of any
// clock that does not go backwards) and reports whether there was one.
func (l *limiter) allow(a netip.Addr, now int64) bool {
	if l == nil {
		return true
	}
	now = max(now, 1)
	key := sourceKey(a)
	sum := maphash.Bytes(l.seed, key[:])
	// A bucket is identified by the address itself (8 bytes are enough). The keyed
	// hash only selects the shard and set, so that an attacker cannot cause
	// collisions.
	source := binary.BigEndian.Uint64(key[1:])
	if key[0] == 4 {
		source |= 4
	}
	shard := &l.shards[sum%limitShards]
	first := (sum / limitShards % l.sets) * setWays

	shard.mu.Lock()
	defer shard.mu.Unlock()
	set := shard.buckets[first : first+setWays]
	oldest := &set[0]
	for i := range set {
		b := &set[i]
		if b.seen != 0 && b.source == source {
			b.seen = now
			return b.tokens.Take(l.rate, 1, time.Duration(now))
		}
		if b.seen < oldest.seen {
			oldest = b
		}
	}
	if oldest.seen != 0 {
		shard.evicted++
	}
	*oldest = bucket{source: source, seen: now}
	return oldest.tokens.Take(l.rate, 1, time.Duration(now))
}

// evictions returns how many sources were replaced by new ones.
func (l *limiter) evictions() (n uint64) {
	if l == nil {
		return 0
	}
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n += s.evicted
		s.mu.Unlock()
	}
	return n
}

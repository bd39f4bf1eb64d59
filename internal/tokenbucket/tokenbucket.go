// Package tokenbucket owns the token bucket, which every rate limit of the programs uses. It is pure: the time is an
// argument, and the caller locks.
package tokenbucket

import "time"

// Rate is how fast a bucket fills, in tokens per second, and how many tokens it holds. One Rate may serve many buckets.
type Rate struct {
	PerSecond, Burst float64
}

// Scale returns a rate that is n times as high, in both numbers.
func (r Rate) Scale(n float64) Rate { return Rate{PerSecond: n * r.PerSecond, Burst: n * r.Burst} }

// Bucket holds tokens. The zero value is full, whatever its rate is. It has 16 bytes, so that tables of many buckets
// are small.
type Bucket struct {
	// missing is how many tokens the bucket had below its burst at the time at. It is above the burst in debt.
	missing float64
	at      time.Duration
}

// Take takes n tokens if the bucket holds them, and reports whether it did. now is the time since a moment that the
// caller chooses, the same for all calls. A time before that of an earlier call counts as the time of that call.
func (b *Bucket) Take(r Rate, n float64, now time.Duration) bool {
	b.fill(r, now)
	if r.Burst-b.missing < n {
		return false
	}
	b.missing += n
	return true
}

// Spend takes n tokens, whether the bucket holds them or not, and returns how many are left: below zero, the bucket is
// in debt, which must be filled up before Take succeeds again.
func (b *Bucket) Spend(r Rate, n float64, now time.Duration) (left float64) {
	b.fill(r, now)
	b.missing += n
	return r.Burst - b.missing
}

// Left returns how many tokens the bucket holds, as Spend does, and takes none.
func (b *Bucket) Left(r Rate, now time.Duration) float64 { return b.Spend(r, 0, now) }

func (b *Bucket) fill(r Rate, now time.Duration) {
	if now <= b.at {
		return
	}
	b.missing = max(0, b.missing-(now-b.at).Seconds()*r.PerSecond)
	b.at = now
}

package rendition

import "sync/atomic"

// known counts the segments of one rendition in the sum of all of them. The rendition's owner has it.
type known struct {
	counted int
	sum     *atomic.Int64
}

// fits tells whether a playlist of n segments may be taken, and counts it if so: other renditions ask at the same time.
func (k *known) fits(n int) bool {
	for {
		all := k.sum.Load()
		with := all - int64(k.counted) + int64(n)
		if with > MaxSegments {
			return false
		}
		if k.sum.CompareAndSwap(all, with) {
			k.counted = n
			return true
		}
	}
}

// count takes how many segments the rendition knows.
func (k *known) count(n int) {
	k.sum.Add(int64(n - k.counted))
	k.counted = n
}

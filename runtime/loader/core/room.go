package core

import "time"

// rank is how much a segment is worth in the store; the lowest is evicted first. A viewer's go by when they are played, so
// that renditions which share the store can be compared.
func (c *Core) rank(seg *Segment, now time.Time) int64 {
	switch {
	case c.Config.Seeder:
		return seederRank(c.playlist.Live, seg)
	case c.playhead == nil:
		return demandRank(seg.due, seg.used)
	}
	return playerRank(seg.Start-c.playhead.base, seg.Duration, c.playhead.clock.Position(now))
}

// room is schedule.View.Room for segs. It first brings up to date what the store knows: what is held may be worth more or
// less than before, and what was to come and did not needs no room.
func (c *Core) room(segs []*Segment, now time.Time) func(i int) bool {
	size := c.expectedSizes()
	for _, seg := range c.table.order {
		if rank := c.rank(seg, now); seg.Held() && rank != seg.rank {
			seg.rank = rank
			c.store.Rank(seg.Key, rank)
		}
	}
	limit := c.store.Stats().Limit
	return func(i int) bool {
		seg := segs[i]
		need := size(seg)
		if need > limit {
			c.driver.TooLarge(seg, need, limit)
		}
		seg.reserved = c.store.Reserve(seg.Key, c.rank(seg, now), need)
		return seg.reserved
	}
}

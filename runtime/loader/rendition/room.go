package rendition

import "time"

// rank is how much a segment is worth in the store; the lowest is evicted first. A viewer's go by when they are played, so
// that renditions which share the store can be compared.
func (r *Rendition) rank(seg *segment, now time.Time) int64 {
	switch {
	case r.shared.Settings.Seeder:
		return seederRank(r.playlist.Live, seg)
	case r.playhead == nil:
		return demandRank(seg.due, seg.used)
	}
	return playerRank(seg.Start-r.playhead.base, seg.Duration, r.playhead.clock.Position(now))
}

// room is schedule.View.Room for segs. It first brings up to date what the store knows: what is held may be worth more or
// less than before, and what was to come and did not needs no room.
func (r *Rendition) room(segs []*segment, now time.Time) func(i int) bool {
	size := r.expectedSizes()
	for _, seg := range r.segments.order {
		if rank := r.rank(seg, now); seg.held() && rank != seg.rank {
			seg.rank = rank
			r.shared.Store.Rank(seg.key, rank)
		}
	}
	limit := r.shared.Store.Stats().Limit
	return func(i int) bool {
		seg := segs[i]
		need := size(seg)
		if need > limit {
			r.originLog.Warn("a segment is larger than the store", "sequence", seg.Sequence, "bytes", need, "store", limit)
		}
		seg.reserved = r.shared.Store.Reserve(seg.key, r.rank(seg, now), need)
		return seg.reserved
	}
}

package core

import (
	"math"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// This file has decisions that depend on their arguments only.

// hashFraction is a number in [0,1) that depends on the peer's seed and the segment only.
func hashFraction(seed uint64, id int64) float64 {
	return float64(schedule.SpreadRank(seed, id)>>11) / math.Exp2(53)
}

// retryDelay is how long the origin is not asked again for a segment after so many failures: a doubling step, of which
// the fraction in [0,1) chooses a point in its second half.
func retryDelay(failures int, fraction float64) time.Duration {
	return backoff.Spread(backoff.Doubled(firstPause, longestPause, failures-1), fraction)
}

// startupWait is how long after the start the origin is not asked while peers may still connect. A connection in any
// rendition proves that peers can be reached; then a longer wait is no risk, except for a rendition without peers.
func startupWait(s *Config, hadNoPeers, reachable, announced bool) time.Duration {
	if !s.OnDemand || hadNoPeers || !reachable || announced {
		return s.StartupWait
	}
	return max(s.StartupWait, s.Patience)
}

// meetWait is how long after it joined a viewer of a live stream asks the origin only for what it is about to play, while it has
// no peer and a tracker says that there are others: about as long as a first connection takes on a busy host. Without peers there is
// no election, so each of them would fetch ahead for itself.
const meetWait = 15 * time.Second

// prefetchFrom is how long after it joined a viewer fetches ahead from the origin. It is settled once a peer is connected, or where
// no viewer is elected.
func prefetchFrom(s *Config, settled bool, others int) time.Duration {
	if settled || others <= 0 {
		return s.PrefetchDelay
	}
	return max(s.PrefetchDelay, meetWait)
}

// needed is above the rank of all segments that are not about to be played.
const needed = 1 << 50

// seederRank orders a seeder's segments in the store; the lowest is evicted first. Those of a live playlist go by
// presentation time. Of a film, what is to be held comes last, and the rest goes by when it was fetched.
func seederRank(live bool, seg *Segment) int64 {
	switch {
	case live:
		return seg.Start.Milliseconds()
	case seg.worth > 0:
		return seg.worth
	}
	return seg.used.UnixMilli()
}

// playerRank orders the segments of a viewer that plays: what was played goes first, the oldest before the others, and
// then what is played last. start is when the segment is played, at when it is now, on the same clock.
func playerRank(start, duration, at time.Duration) int64 {
	if start+duration > at {
		return needed - start.Milliseconds()
	}
	return start.Milliseconds()
}

// demandRank orders the segments of a viewer on demand: what no player needs goes first, by last use, and then what is
// needed last.
func demandRank(due, used time.Time) int64 {
	if !due.IsZero() {
		return needed - due.UnixMilli()
	}
	return used.UnixMilli()
}

// liveStart is the start of the segment that lies delay behind the live edge; the first if none lies so far behind.
func liveStart(segments []manifest.Segment, delay time.Duration) time.Duration {
	last := segments[len(segments)-1]
	goal := last.Start + last.Duration - delay
	start := segments[0].Start
	for _, s := range segments {
		if s.Start <= goal {
			start = s.Start
		}
	}
	return start
}

// behindEdge is how many target durations a viewer starts behind the end of a playlist that has just begun: a client
// should not choose a segment that starts less than that before the end (RFC 8216 §6.3.3), and one that plays at the edge
// has no time to get segments from peers.
const behindEdge = 3

// longestStart is how long the begin of an event is waited for at most, whatever target duration a playlist states.
const longestStart = 30 * time.Second

// liveDelay is how far behind the live edge a viewer starts; begins says that the event has just begun.
func liveDelay(s *Config, p *manifest.Playlist, begins bool) time.Duration {
	if s.LiveDelay != 0 {
		return s.LiveDelay
	}
	count := p.LiveSyncSegments()
	if begins {
		count = max(count, behindEdge)
	}
	if s.LiveDelaySegments > 0 {
		count = s.LiveDelaySegments
	}
	return time.Duration(count) * p.TargetDuration
}

// validLength tells whether n bytes can be the whole of a segment, by the sizes known; -1 is an unknown size.
func validLength(n int, total, claimed int64) bool {
	return n > 0 && (total < 0 || int64(n) == total) && (claimed < 0 || int64(n) == claimed)
}

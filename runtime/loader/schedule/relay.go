package schedule

import "time"

// leastRelaySpread is over what time, at least, viewers of a site spread their turns to ask the origin.
const leastRelaySpread = time.Second

// Relayed returns the limits of a viewer whose site gets the stream from seeders through a few of its viewers. Until one of
// these has a segment, no peer of the others announces it. In the usual limits their turn to ask the origin begins as soon as
// the segment is published, and each site would get several copies. So their turns come last: in the half target duration
// before the segment is urgent.
func (l Limits) Relayed(target time.Duration) Limits {
	l.HTTPAhead = min(l.HTTPAhead, l.Urgent+max(target/2, leastRelaySpread))
	return l
}

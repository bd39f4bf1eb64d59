package schedule

import "time"

// SeederView is what a seeder knows about one rendition at one moment.
type SeederView struct {
	Now      time.Time
	Live     bool
	Segments []Segment // playlist order
	Slots    int       // simultaneous fetches from the origin
	Wanted   int64     // VOD: the segment id from which viewers are waiting; segments before it come last
}

// Seeder returns the segments to fetch now, most useful first, as indices into
// Segments.
//
// Live: the newest first, because viewers have not seen it yet and will not
// fetch what a seeder announces; then from the start of the window, where
// players begin. VOD: from where viewers are, then the rest from the start.
func Seeder(v SeederView) []int {
	free := v.Slots
	for _, s := range v.Segments {
		if s.State == Fetching {
			free--
		}
	}
	var out []int
	take := func(i int) {
		if s := v.Segments[i]; free > 0 && s.State == Missing && !v.Now.Before(s.RetryAt) {
			out = append(out, i)
			free--
		}
	}
	n := len(v.Segments)
	if v.Live {
		if n > 0 {
			take(n - 1)
		}
		for i := range max(n-1, 0) {
			take(i)
		}
		return out
	}
	for i := range n {
		if v.Segments[i].ID >= v.Wanted {
			take(i)
		}
	}
	for i := range n {
		if v.Segments[i].ID < v.Wanted {
			take(i)
		}
	}
	return out
}

// ExpectedNext tells whether a live seeder may announce the segment after the
// newest one as on its way before it has seen it: within one target duration
// of its expected publication, and only while nothing failed. Viewers that see
// it first then wait for the seeder instead of asking the origin.
func ExpectedNext(newestSeen time.Time, newest, target time.Duration, failed bool, now time.Time) bool {
	if failed || newestSeen.IsZero() || target <= 0 {
		return false
	}
	due := newestSeen.Add(newest)
	return !now.Before(due.Add(-target)) && now.Before(due.Add(target))
}

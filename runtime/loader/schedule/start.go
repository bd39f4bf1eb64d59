package schedule

import "time"

// Times of a viewer that has just connected.
const (
	startTargets = 3                      // how many target durations a viewer counts as one that starts
	startGrace   = 150 * time.Millisecond // how long its group has to offer it the first segment
	startPercent = 20                     // of a target duration: how long it may get nothing,
	longestStart = time.Second            // and at most
)

// Starter is a viewer that may have just connected.
type Starter struct {
	Joined time.Time
	Last   time.Time // when it last got or asked for a segment; Joined before the first
	Begun  bool      // it has, or asked for, a segment
	Mates  bool      // a viewer of its group holds segments
	Target time.Duration
}

// StartOffer says what a viewer that starts is told of although its group brings it: it cannot wait, because it plays as
// soon as it has the first segment.
type StartOffer struct {
	All  bool      // everything: where it begins to play is not known
	Next bool      // the first segment that it lacks, after those that it has or asked for
	Then time.Time // when this changes if the viewer gets nothing; zero: it does not
}

// Start decides what a viewer that starts is told of. Before it has asked for a segment that is everything; from then on
// one segment at a time, and only while it gets nothing from its group.
func Start(s Starter, now time.Time) StartOffer {
	if !Starting(s.Joined, s.Target, now) {
		return StartOffer{}
	}
	over := s.Joined.Add(startTargets * s.Target)
	if !s.Begun {
		if from := s.Joined.Add(startGrace); s.Mates && now.Before(from) {
			return StartOffer{Then: from}
		}
		return StartOffer{All: true, Then: over}
	}
	if from := s.Last.Add(min(s.Target*startPercent/100, longestStart)); now.Before(from) {
		return StartOffer{Then: from}
	}
	return StartOffer{Next: true, Then: over}
}

// Starting tells whether a viewer that connected at joined counts as one that starts.
func Starting(joined time.Time, target time.Duration, now time.Time) bool {
	return now.Before(joined.Add(startTargets * target))
}

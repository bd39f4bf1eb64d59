package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// plan is what happens in a soak, and how much of it.
type plan struct {
	Total  time.Duration // from the first viewer to the end of the churn
	Settle time.Duration // before the churn: what counts come back to
	Quiet  time.Duration // after the churn, at most
	Every  time.Duration // between two samples

	Stream string // path on the origin

	Crowd   int // viewers of one process that is there throughout
	Players int // players that change rendition, each through a viewer that is there throughout

	Headless int  // viewers that come and go, each a process
	Proxies  int  // the same, with a player that changes rendition
	Life     span // of those
	Gap      span // until the next one takes its place
	Switch   span // a player's time in one rendition

	SeederEach  time.Duration // between restarts of the second seeder
	SeederDown  time.Duration // how long it is away
	TrackerOnce time.Duration // into the churn the tracker is restarted; 0: never
}

// span is a time between two bounds.
type span struct{ Min, Max time.Duration }

func (s span) draw(r *rand.Rand) time.Duration {
	return s.Min + time.Duration(r.Int64N(int64(s.Max-s.Min)+1))
}

// planFor is the soak of a length: everything that is rare in a long one happens
// often in a short one.
func planFor(length time.Duration) (plan, error) {
	const shortest = 20 * time.Second
	switch {
	case length < shortest:
		return plan{}, fmt.Errorf("--for: %s is too short to come and go; use %s or more, or 2h", length, shortest)
	case length < 2*time.Minute:
		return plan{
			Total: length, Settle: 6 * time.Second, Quiet: 25 * time.Second, Every: time.Second,
			Stream: "/live/seg_2/window_6/master.m3u8",
			Crowd:  3, Players: 2, Headless: 4, Proxies: 1,
			Life: span{4 * time.Second, 9 * time.Second}, Gap: span{200 * time.Millisecond, time.Second},
			Switch:     span{3 * time.Second, 6 * time.Second},
			SeederEach: length / 4, SeederDown: time.Second, TrackerOnce: length / 5,
		}, nil
	}
	// The tracker comes back early in the first quarter, which is the warm-up: from then on it must be flat.
	return plan{
		Total: length, Settle: min(time.Minute, length/10), Quiet: 90 * time.Second, Every: min(10*time.Second, length/60),
		Stream: "/live/seg_4/window_6/master.m3u8",
		Crowd:  4, Players: 3, Headless: 6, Proxies: 2,
		Life: span{15 * time.Second, 75 * time.Second}, Gap: span{time.Second, 6 * time.Second},
		Switch:     span{20 * time.Second, 50 * time.Second},
		SeederEach: min(9*time.Minute, length/6), SeederDown: 5 * time.Second, TrackerOnce: length / 16,
	}, nil
}

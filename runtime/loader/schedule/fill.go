package schedule

import "time"

// Shares of a target duration, in percent, for which a seeder waits. All are shorter than what viewers wait for.
const (
	fillTurnPercent     = 30  // for each edge seeder of its site that comes before it
	fillMatePercent     = 60  // in addition, while one of these says that it is fetching the segment
	fillAnnouncePercent = 20  // for a seeder outside that has announced nothing
	fillLoadingPercent  = 50  // for one that says that it is fetching the segment
	fillBusyPercent     = 200 // for one that holds it and is sending another one
	fillSilentPercent   = 25  // for the next byte of a segment that it has asked for
	fillSlowPercent     = 200
	fillAnewPercent     = 50                     // in addition at most, when its sources have changed since it was wanted
	leastFillWait       = 500 * time.Millisecond // the unit of all is at least so long ÷ its share of 25 %
	mostFillTries       = 3                      // requests to peers for one segment

	// A central seeder waits less, since the others get a segment from the origin and not over the line of a site. Most of
	// a target duration is left to players then, of the three that they play behind the edge.
	sharedTurnPercent = 15 // for each one that comes before it
	sharedTurnsMost   = 45 // for all of these together
	sharedMatePercent = 30 // in addition, while one of these says that it is fetching the segment
	sharedSlowPercent = 60 // for a segment that it has asked for

	// For segments that players are not near, seeders outside are waited for so many times as long, as are bytes, and as are
	// central seeders that hold the segment and are sending another one.
	fillCalmly = 4
	// And those that failed are waited for, until they have failed for so long.
	fillTroublePercent = 200
)

// FillSource is a seeder that another one is connected with.
type FillSource struct {
	Near   bool    // it shares the work: both are in one site, or both are central
	Before bool    // it comes before this one for the segment, see FillBefore; only if Near
	Busy   bool    // a request to it is running
	Speed  float64 // bytes per second of its last deliveries; 0 if unknown
	Holds  Holding
	Failed bool // it has just failed to deliver the segment
}

// FillView is what a seeder knows of one segment that it is to hold, and does not hold.
type FillView struct {
	Now    time.Time
	Shared bool          // the seeder is a central one: those that share its work get segments from the origin
	Since  time.Time     // when it first wanted the segment
	Anew   time.Time     // when a first seeder outside had it, or another one of the site was met, if later; waits begin again
	Calm   bool          // players are not near it: of a film, or of the history of a live stream
	Urgent bool          // a player is about to ask for it, and it is not new: nothing is waited for
	Target time.Duration // target duration of the playlist
	Tries  int           // how many requests to peers for the segment came to nothing
	Origin bool          // the origin may be asked now
	Expect time.Time     // until then a first connection to a seeder outside may still come
	Failed time.Time     // since when requests to seeders have failed, and none has succeeded; zero if the last one has

	Sources []FillSource
}

// FillPlan is where a seeder gets a segment from now.
type FillPlan struct {
	Source int       // it asks this one, an index into Sources; -1: none
	Origin bool      // it asks the origin
	Until  time.Time // it waits until then, unless something changes before; zero if it asks one
}

// Fill decides where a seeder gets a segment from. Each segment is to enter a site once, so one of its edge seeders, the
// first by FillBefore, gets it from outside: from another seeder, and from the origin only when no seeder brings it in time.
// The others of the site wait until they can get it from that one. Each takes over when those before it are late. Central
// seeders leave the origin together once, in the same way.
func Fill(v FillView) FillPlan {
	unit := fillUnit(v.Target)
	share := func(percent int) time.Duration { return unit * time.Duration(percent) / 100 }
	if v.Tries >= mostFillTries {
		return v.fromOrigin()
	}
	near, far := -1, -1 // free sources that hold it
	turns := 0
	coming, busy, outside, loading, sending, failing := false, false, false, false, false, false
	for i, s := range v.Sources {
		has := s.Holds == Loaded && !s.Failed
		switch {
		case s.Near && s.Before:
			turns++
			coming = coming || s.Holds == Loading
		case !s.Near:
			outside = true
			loading = loading || s.Holds == Loading
			sending = sending || has && s.Busy
			failing = failing || s.Holds == Loaded && s.Failed
		}
		switch {
		case !has:
		case s.Near && s.Busy:
			busy = true
		case s.Busy:
		case s.Near && v.better(i, near):
			near = i
		case !s.Near && v.better(i, far):
			far = i
		}
	}
	if near >= 0 {
		return FillPlan{Source: near}
	}
	if v.Urgent {
		return v.fromOrigin()
	}
	turn := v.begin(share).Add(share(v.waits(turns, coming, busy)))
	if v.Now.Before(turn) {
		return FillPlan{Source: -1, Until: turn}
	}
	if far >= 0 {
		return FillPlan{Source: far}
	}
	patience := 1
	if v.Calm {
		patience = fillCalmly
	}
	switch {
	case sending:
		turn = turn.Add(share(patience * fillBusyPercent))
	case loading:
		turn = turn.Add(share(patience * fillLoadingPercent))
	case outside:
		turn = turn.Add(share(patience * fillAnnouncePercent))
	case v.Expect.After(turn):
		turn = v.Expect
	}
	if again := v.Failed.Add(share(fillTroublePercent)); v.Calm && failing && again.After(turn) {
		turn = again
	}
	if v.Now.Before(turn) {
		return FillPlan{Source: -1, Until: turn}
	}
	return v.fromOrigin()
}

// waits is for how long the seeders that share the work are waited for, in percent of a target duration: for the turns of so
// many that come before this one, and in addition while one of them is getting the segment, or is busy with another one.
func (v FillView) waits(turns int, coming, busy bool) (percent int) {
	switch {
	case v.Shared && v.Calm && busy:
		return turns*fillTurnPercent + fillCalmly*fillBusyPercent
	case v.Shared && !v.Calm:
		percent = min(turns*sharedTurnPercent, sharedTurnsMost)
		if coming || busy {
			percent += sharedMatePercent
		}
		return percent
	case coming || busy:
		return turns*fillTurnPercent + fillMatePercent
	}
	return turns * fillTurnPercent
}

// fillUnit is what shares of a target duration are shares of.
func fillUnit(target time.Duration) time.Duration {
	return max(target, leastFillWait*100/fillSilentPercent)
}

// begin is when waiting began. A segment that was wanted for long before a seeder had it, or before the seeders of the site had
// met, would otherwise be taken by all of them at once.
func (v FillView) begin(share func(int) time.Duration) time.Time {
	most := share(fillAnewPercent)
	if v.Calm {
		most *= fillCalmly * fillCalmly
	}
	switch latest := v.Since.Add(most); {
	case v.Anew.Before(v.Since):
		return v.Since
	case v.Anew.After(latest):
		return latest
	}
	return v.Anew
}

func (v FillView) fromOrigin() FillPlan {
	return FillPlan{Source: -1, Origin: v.Origin}
}

// better reports whether source i is to be asked before source j, which may be −1.
func (v FillView) better(i, j int) bool {
	return j < 0 || v.Sources[i].Speed > v.Sources[j].Speed
}

// FillBefore reports whether, of two seeders that share their work, the one with peer id a comes before the one with b for a segment,
// named by its media sequence. It is the order in which seeders that hold segments back choose, so that the edge seeder which
// is offered a segment first is the one that is to get it (rendezvous hashing).
func FillBefore(a, b string, sequence int64) bool {
	x, y := SpreadRank(SpreadSeed(a), sequence), SpreadRank(SpreadSeed(b), sequence)
	return x > y || x == y && a < b
}

// FillLate reports whether a request to a seeder is to be given up: no byte has come for a while, or the whole takes too long.
// shared says that a central seeder asked.
func FillLate(f Flight, target time.Duration, calm, shared bool, now time.Time) bool {
	unit, slow := fillUnit(target), fillSlowPercent
	switch {
	case calm:
		unit *= fillCalmly
	case shared:
		slow = sharedSlowPercent
	}
	last := f.LastBytes
	if last.IsZero() {
		last = f.Since
	}
	return now.Sub(last) >= unit*fillSilentPercent/100 || now.Sub(f.Since) >= unit*time.Duration(slow)/100
}

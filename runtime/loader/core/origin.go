package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Bounds on how an origin is asked that fails for one segment after the other: a seeder would otherwise ask for all
// segments of a long playlist as fast as the origin refuses them.
const (
	failuresInARow = 8
	firstPause     = 250 * time.Millisecond
	longestPause   = 5 * time.Second
)

// originHealth counts how often the origin failed in a row.
type originHealth struct {
	failures int           // since the last success
	failedAt time.Time     // the last of them
	heldOff  time.Time     // the origin wants no request before
	usual    time.Duration // that it takes for a segment: a running mean, 0 before the first
}

// newestWeight is what the newest transfer counts in the mean, in percent.
const newestWeight = 30

// took learns how long a whole segment took.
func (o *originHealth) took(d time.Duration) {
	if o.usual == 0 {
		o.usual = d
		return
	}
	o.usual += (d - o.usual) * newestWeight / 100
}

func (o *originHealth) failed(now time.Time) {
	o.failures++
	o.failedAt = now
}

func (o *originHealth) succeeded() { o.failures = 0 }

// pausing tells whether a seeder must not ask the origin at now.
func (o *originHealth) pausing(now time.Time) bool {
	if now.Before(o.heldOff) {
		return true
	}
	if o.failures < failuresInARow {
		return false
	}
	return now.Before(o.failedAt.Add(backoff.Doubled(firstPause, longestPause, o.failures-failuresInARow)))
}

// Fetch asks the origin for a segment, from the bytes already held on.
func (c *Core) Fetch(seg *Segment, now time.Time) {
	switch {
	case now.Before(c.origin.heldOff):
		seg.RetryAt = c.origin.heldOff
		return
	case !c.driver.Spare(), c.event.suspected && c.Config.Seeder: // the URLs may name other media now
		seg.RetryAt = now.Add(firstPause)
		return
	}
	held := seg.Partial
	c.withhold(seg)
	seg.State, seg.since, seg.Partial = schedule.Fetching, now, nil
	c.Changed = true
	seg.begin(held)
	seg.transfer = c.driver.Fetch(seg, held, now)
}

// Failure is how a transfer from the origin failed.
type Failure struct {
	Err        error         // nil: it did not fail
	Ended      bool          // it was ended here
	Refused    bool          // the origin refuses the request: the URL may have expired
	Lacking    bool          // the origin says that it does not have the segment
	Permanent  bool          // the same request would fail again
	TooLarge   bool          // the segment cannot be taken, nor continued
	RetryAfter time.Duration // the origin wants no request for so long
}

// Fetched takes the end of a transfer from the origin, the attempt-th for the segment.
func (c *Core) Fetched(seg *Segment, attempt int64, data []byte, total int64, f Failure, now time.Time) {
	if !c.Fetches(seg, attempt) {
		c.driver.Discard(data)
		return
	}
	switch {
	case f.Err == nil:
		c.refusals.succeeded()
		c.origin.took(now.Sub(seg.since))
		if total >= 0 {
			seg.Total = total
		}
		c.Complete(seg, data, true, now)
		return
	case f.Ended:
		c.keep(seg, data, total) // the transfer was abandoned, its bytes are not
		c.Failed(seg, now)
		return
	}
	seg.Problem = f
	if again, manifestToo := c.refusals.failed(f, seg.Failures == 0, now); again {
		c.driver.Reload(manifestToo)
	}
	if f.TooLarge {
		c.driver.Discard(data)
		data = nil
	}
	c.keep(seg, data, total)
	c.Failed(seg, now)
	c.obey(seg, f.RetryAfter, now)
}

// obey asks the origin for no segment while it wants no requests.
func (c *Core) obey(seg *Segment, wait time.Duration, now time.Time) {
	if wait <= 0 {
		return
	}
	until := now.Add(wait)
	if until.After(seg.RetryAt) {
		seg.RetryAt = until
	}
	if until.After(c.origin.heldOff) {
		c.origin.heldOff = until
	}
}

// Failed notes that the origin did not deliver and when to ask again.
func (c *Core) Failed(seg *Segment, now time.Time) {
	seg.Failures++
	c.origin.failed(now)
	seg.RetryAt = now.Add(retryDelay(seg.Failures, hashFraction(c.Config.Seed, seg.Sequence+int64(seg.Failures))))
}

// Fetches tells whether the attempt-th transfer for a segment is one from the origin that runs.
func (c *Core) Fetches(seg *Segment, attempt int64) bool {
	return seg.State == schedule.Fetching && seg.Attempt == attempt
}

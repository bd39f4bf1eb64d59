package telemetry

import "time"

// session is a session while a report of it is looked at.
type session struct {
	*record
	id        recordID
	sequence  int64
	began     int64
	counters  Counters
	read      Counters // counters at the last reading
	kept      Counters // the part of counters that the reader has stored
	walk      uint64   // the reading that read and kept are of
	stalls    int
	stallMs   int64
	startupMs int64
	checks    Checks
	allowance float64 // reports that may be sent now
	budget    budget  // bytes that may be claimed now
	played    []playing
}

// playing is what a session has received of one rendition.
type playing struct {
	key   string // as the peer names it
	bytes Sources
	began int64 // the first report of it
	rose  int64 // the last report in which its bytes rose; 0: never
}

// clock returns a moment as nanoseconds that do not jump with the clock of the machine, if both have a monotonic reading.
func (a *Aggregate) clock(t time.Time) int64 { return a.bootNanos + int64(t.Sub(a.boot)) }

// forget drops sessions that have expired, and then the longest silent ones until no more than keep remain.
func (a *Aggregate) forget(now time.Time, keep int) {
	at, s := a.clock(now), &a.work
	for id := a.records.silent; id != 0; id = a.records.silent {
		if at-a.records.at(id).last <= int64(a.cfg.Lifetime) && len(a.records.byKey) <= keep {
			return
		}
		a.unpack(s, id)
		a.evictedUpTo = max(a.evictedUpTo, s.began)
		a.uncount(s)
		delete(a.seeders, id)
		delete(a.owing, id)
		a.records.remove(id)
		a.evicted++
	}
}

// Sessions returns how many sessions are remembered, live or not.
func (a *Aggregate) Sessions() int { return len(a.records.byKey) }

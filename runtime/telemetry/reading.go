package telemetry

import (
	"slices"
	"time"
)

// readFor is how long after its last reading a reader is assumed to still store totals.
const readFor = time.Minute

// MarkRead records that the current totals are being read by the reader that stores them across restarts of trackers (see
// Accumulator), and returns the number of this reading, which stays the same while the viewers' totals do. kept names
// the readings of this tracker and of earlier ones that the reader has stored:
//
//   - Of this one: the bytes in that reading are acknowledged from now on, and not reported again.
//   - Of earlier ones: bytes for which sessions presented receipts are counted now, except those in the stored readings.
//
// So nothing is lost and nothing counts twice, whenever a tracker or the reader ends: a reading that was not stored was
// never acknowledged to a session, and one that was stored is known by its number to the next tracker.
func (a *Aggregate) MarkRead(now time.Time, kept Kept) int64 {
	a.readAt = now
	for id, owed := range a.owing {
		a.settle(id, owed, kept, now)
	}
	a.walk++
	if a.reading > 0 && kept[a.cfg.Boot] == a.reading {
		a.confirmed = a.walk
	}
	if a.changed {
		a.reading++
		a.changed = false
	}
	return a.reading
}

// catchUp makes up for the readings since the session was last looked at: so a reading costs nothing for each session. In these
// readings its counters were as they are. The first of them may have confirmed what was read before; each later one, what they
// are.
func (a *Aggregate) catchUp(s *session) {
	if s.walk == a.walk {
		return
	}
	switch {
	case a.confirmed > s.walk+1:
		s.kept = s.counters
	case a.confirmed == s.walk+1:
		s.kept = highest(s.kept, s.read)
	}
	s.read, s.walk = s.counters, a.walk
}

// addReceipts records what earlier trackers counted of a new session, according to its receipts, above a base that is
// known to be stored. It returns the counters up to which some tracker has counted the session.
func (a *Aggregate) addReceipts(s *session, base Counters, receipts []Receipt) Counters {
	s.kept, s.read = base, base
	counted := base
	var owed []Receipt
	for _, r := range receipts {
		if !r.Counters.AtLeast(counted) {
			continue // the session stated no base and is not known to be new, so its counters serve as the base
		}
		counted = r.Counters
		if r.Boot == a.cfg.Boot {
			// This tracker forgot the session or knew it by another key; its totals include the bytes already.
			owed = nil
			if r.Reading <= a.reading {
				s.read = counted
			}
			continue
		}
		owed = append(owed, r)
	}
	if len(owed) > 0 {
		a.owing[s.id] = owed
	}
	return counted
}

// settle counts what the stored readings of earlier trackers do not include.
func (a *Aggregate) settle(id recordID, owed []Receipt, kept Kept, now time.Time) {
	s := &a.work
	a.unpack(s, id)
	a.catchUp(s)
	base, counted := s.kept, owed[len(owed)-1].Counters
	for _, r := range owed {
		if kept.has(r) {
			base = r.Counters
		}
	}
	a.add(s, Result{Delta: counted.Sub(base)}, 0, now)
	s.kept = base
	a.pack(s)
	delete(a.owing, id)
}

// acknowledge returns the counters of a session that are stored permanently, and receipts for the rest.
func (a *Aggregate) acknowledge(s *session, now time.Time) (Counters, []Receipt) {
	owed := a.owing[s.id]
	noReader := !a.cfg.OnlyRead && (a.readAt.IsZero() || now.Sub(a.readAt) > readFor)
	if noReader && len(owed) == 0 { // receipts prove that there is a reader, which has not polled this tracker yet
		s.kept, s.read = s.counters, s.counters // without a reader the totals of this tracker are the only ones
		return s.counters, nil
	}
	receipts := owed[max(0, len(owed)-(MaxReceipts-2)):]
	if a.reading > 0 && !s.kept.AtLeast(s.read) {
		receipts = append(slices.Clip(receipts), Receipt{a.cfg.Boot, a.reading, s.read})
	}
	if !s.read.AtLeast(s.counters) {
		receipts = append(slices.Clip(receipts), Receipt{a.cfg.Boot, a.reading + 1, s.counters})
	}
	return s.kept, receipts
}

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
	for s := range a.owing {
		a.settle(s, kept, now)
	}
	confirmed := a.reading > 0 && kept[a.cfg.Boot] == a.reading
	if a.changed {
		a.reading++
		a.changed = false
	}
	for s := a.silent; s != nil; s = s.younger {
		if confirmed {
			s.kept = highest(s.kept, s.read)
		}
		s.read = s.counters
	}
	return a.reading
}

// addReceipts records what earlier trackers counted of a new session, according to its receipts, above a base that is
// known to be stored. It returns the counters up to which some tracker has counted the session.
func (a *Aggregate) addReceipts(s *session, base Counters, receipts []Receipt) Counters {
	s.kept, s.read = base, base
	counted := base
	for _, r := range receipts {
		if !r.Counters.AtLeast(counted) {
			continue // the session stated no base and is not known to be new, so its counters serve as the base
		}
		counted = r.Counters
		if r.Boot == a.cfg.Boot {
			// This tracker forgot the session or knew it by another key; its totals include the bytes already.
			s.owed = nil
			if r.Reading <= a.reading {
				s.read = counted
			}
			continue
		}
		s.owed = append(s.owed, r)
	}
	if len(s.owed) > 0 {
		a.owing[s] = struct{}{}
	}
	return counted
}

// settle counts what the stored readings of earlier trackers do not include.
func (a *Aggregate) settle(s *session, kept Kept, now time.Time) {
	base, counted := s.kept, s.owed[len(s.owed)-1].Counters
	for _, r := range s.owed {
		if kept.has(r) {
			base = r.Counters
		}
	}
	a.add(s, Result{Delta: counted.Sub(base)}, 0, now)
	s.kept, s.owed = base, nil
	delete(a.owing, s)
}

// acknowledge returns the counters of a session that are stored permanently, and receipts for the rest.
func (a *Aggregate) acknowledge(s *session, now time.Time) (Counters, []Receipt) {
	noReader := !a.cfg.OnlyRead && (a.readAt.IsZero() || now.Sub(a.readAt) > readFor)
	if noReader && len(s.owed) == 0 { // receipts prove that there is a reader, which has not polled this tracker yet
		s.kept, s.read = s.counters, s.counters // without a reader the totals of this tracker are the only ones
		return s.counters, nil
	}
	receipts := s.owed[max(0, len(s.owed)-(MaxReceipts-2)):]
	if a.reading > 0 && !s.kept.AtLeast(s.read) {
		receipts = append(slices.Clip(receipts), Receipt{a.cfg.Boot, a.reading, s.read})
	}
	if !s.read.AtLeast(s.counters) {
		receipts = append(slices.Clip(receipts), Receipt{a.cfg.Boot, a.reading + 1, s.counters})
	}
	return s.kept, receipts
}

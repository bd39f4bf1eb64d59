package telemetry

import (
	"slices"
	"time"
)

// readFor is how long after a reading somebody is believed to go on keeping totals.
const readFor = time.Minute

// MarkRead notes that the totals as of its return are being read by whoever keeps them over restarts of trackers (see
// Accumulator), and returns the number of this reading, which stays the same while viewers' totals do. The reader says
// which readings of this tracker and of earlier ones it has in a safe place:
//
//   - Of this one: from then on that much is acknowledged, and never reported again.
//   - Of earlier ones: what sessions brought receipts of is counted now, but for what those readings had.
//
// So nothing is lost and nothing counts twice, whenever a tracker or the reader ends: a reading that was not kept was
// not acknowledged to anybody, and one that was kept is known by its number to the next tracker.
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

// owe notes what a session new here was counted by earlier trackers, as far as its receipts tell, above a base that is
// known to be kept. It returns the counters above which nobody has counted it.
func (a *Aggregate) owe(s *session, base Counters, receipts []Receipt) Counters {
	s.kept, s.read = base, base
	counted := base
	for _, r := range receipts {
		if !r.Counters.AtLeast(counted) {
			continue // a base that is no base: the session brought none, and is not believed to be new
		}
		counted = r.Counters
		if r.Boot == a.cfg.Boot {
			// This tracker forgot the session, or knew it by another key, and has its bytes in its totals.
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

// settle counts what earlier trackers were not read of.
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

// acknowledge tells a session what it may take as counted for good, and where it finds the rest.
func (a *Aggregate) acknowledge(s *session, now time.Time) (Counters, []Receipt) {
	noReader := !a.cfg.OnlyRead && (a.readAt.IsZero() || now.Sub(a.readAt) > readFor)
	if noReader && len(s.owed) == 0 { // a session that has receipts knows of a reader, who has not come here yet
		s.kept, s.read = s.counters, s.counters // for good: nobody keeps more than this tracker does
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
